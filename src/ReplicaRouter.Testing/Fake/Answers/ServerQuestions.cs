using NpgsqlTypes;

namespace ReplicaRouter.Testing.Fake;

/// <summary>Answers the queries with which routers and drivers examine a server, from the state that a test set.</summary>
/// <remarks>
/// Such a query is a SELECT whose columns are recognized one by one, by a text that identifies each, so their order does not matter. A different
/// expression of the same function, such as a cast, returns a different type and needs its own entry.
/// </remarks>
internal static class ServerQuestions
{
    /// <summary>The known columns, the most specific first.</summary>
    private static readonly ServerExpression[] s_expressions =
    [
        new("pg_stat_get_wal_receiver()", typeof(int), (state, _) => state is { IsStandby: true, IsReceiving: false } ? null : state.Timeline),
        new("pg_control_recovery()", typeof(int), (state, _) => state.IsStandby ? state.Timeline : null),
        new("pg_control_system()", typeof(long), (state, _) => state.SystemIdentifier),
        new("pg_walfile_name(", typeof(string), (state, _) => WalFile(state), IsPrimaryOnly: true),
        .. Position("pg_current_wal_insert_lsn", state => state.IsStandby ? null : state.Lsn, isPrimaryOnly: true),
        .. Position("pg_current_wal_flush_lsn", state => state.IsStandby ? null : state.Lsn, isPrimaryOnly: true),
        .. Position("pg_current_wal_lsn", state => state.IsStandby ? null : state.Lsn, isPrimaryOnly: true),
        .. Position("pg_last_wal_replay_lsn", state => state.IsStandby ? state.ReplayLsn ?? state.Lsn : state.ReplayLsn),
        .. Position("pg_last_wal_receive_lsn", state => state.IsStandby ? state.Lsn : null),
        new("(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::int8", typeof(long),
            (state, _) => (StartedAt(state) - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond),
        new("pg_postmaster_start_time()", typeof(DateTime), (state, _) => StartedAt(state)),
        new("pg_stat_get_bgwriter_stat_reset_time()", typeof(DateTime), (state, _) => StartedAt(state)),
        new("current_setting('synchronous_commit') NOT IN", typeof(bool), (state, _) => state.SynchronousStandbyNames.Length > 0),
        new("coalesce(current_setting('synchronous_standby_names', true), '') <> ''", typeof(bool), (state, _) => state.SynchronousStandbyNames.Length > 0),
        new("NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'on'", typeof(bool), (state, _) => state is { IsStandby: false, IsReadOnly: true }),
        new("source FROM pg_settings WHERE name = 'default_transaction_read_only'", typeof(string), (state, _) => state.IsReadOnly ? "configuration file" : "default"),
        new("max(oid)::int8 FROM pg_type", typeof(long), (_, _) => 16_383L),
        new("current_setting('port')::int", typeof(int), (_, connection) => connection.Server.Port),
        new("pg_size_bytes(current_setting('wal_segment_size'))", typeof(long), (_, _) => 16L << 20),
        new("current_setting('wal_block_size')::int", typeof(int), (_, _) => 8192),
        new("current_setting('wal_writer_delay')::interval) * 3000)::float8", typeof(double), (_, _) => 600.0),
        new("current_setting('max_connections')::int", typeof(int), (state, _) => state.MaxConnections),
        new("FROM pg_stat_activity WHERE application_name = 'ReplicaRouter probe'", typeof(int), (_, connection) => connection.Server.CountOf("ReplicaRouter probe")),
        new("txid_current_if_assigned()", typeof(long), (_, connection) => connection.TransactionId),
        new("txid_current_snapshot()::text", typeof(string), (_, connection) => connection.Server.Snapshot()),
        new("pg_advisory_unlock_all()", typeof(string), (_, _) => ""),
        new("pg_backend_pid()", typeof(int), (_, connection) => connection.Id),
        new("pg_is_in_recovery()", typeof(bool), (state, _) => state.IsStandby),
    ];

    /// <summary>The known statements that read tables or a parameter.</summary>
    private static readonly (string Text, Func<FakeStatement, FakeConnection, FakeAnswer> Answer)[] s_statements =
    [
        ("hashoid(t.oid)", (_, _) => FakeAnswer.Row(1L)),
        ("txid_snapshot_xip(", (_, _) => FakeAnswer.Row([null])),
        ("txid_status(id::bigint)", (_, _) => FakeAnswer.Row([null])),
        ("SELECT txid_status($1)", StatusOf),
        ("FROM pg_locks", (_, _) => FakeAnswer.Table(("transactionid", typeof(long)), ("coalesce", typeof(bool)))),
        ("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1", (statement, connection) => FakeAnswer.Row(Parameter(statement, connection)?.IsActive ?? false)),
        ("SELECT count(pg_terminate_backend(pid))", (statement, connection) => FakeAnswer.Row((long)Terminate(statement, connection))),
        ("SELECT pg_terminate_backend(pid)", (statement, connection) =>
            Parameter(statement, connection) is { IsActive: false } idle && idle.Terminate() ? FakeAnswer.Row(true) : FakeAnswer.Table(("pg_terminate_backend", typeof(bool)))),
    ];

    /// <summary>Returns whether a statement concerns the server, not a test's data: it queries the server's state, or is sent by Npgsql to reset a connection.</summary>
    public static bool IsHousekeeping(string sql)
    {
        var line = SqlText.OnOneLine(sql);
        return SqlText.FirstWord(line) is "DISCARD" or "RESET" or "CLOSE" or "UNLISTEN" or "DEALLOCATE"
            || Has(line, "SET SESSION AUTHORIZATION DEFAULT")
            || s_statements.Any(known => Has(line, known.Text))
            || (SqlText.Columns(line) is { Count: > 0 } columns && columns.All(column => Find(column) is not null));
    }

    /// <returns>The answer; null if the statement does not query the server's state.</returns>
    public static FakeAnswer? Answer(FakeStatement statement, FakeConnection connection)
    {
        var (line, state) = (SqlText.OnOneLine(statement.Sql), connection.Server.State);
        if (s_statements.FirstOrDefault(known => Has(line, known.Text)).Answer is { } answer) return answer(statement, connection);
        if (SqlText.FirstWord(line) == "SHOW" && ServerParameters.Find(state, line["SHOW".Length..].Trim()) is { } setting) return FakeAnswer.Row(setting);

        var columns = SqlText.Columns(line);
        ServerExpression?[] known = [.. columns.Select(Find)];
        if (known.All(expression => expression is null)) return null;
        if (Array.IndexOf(known, null) is var unknown and >= 0)
            return FakeAnswer.Error("0A000", $"The fake server has no answer to '{columns[unknown]}'. Set one with On(...).");
        // A CASE that checks the role first does not call these functions on a standby.
        if (state.IsStandby && known.Zip(columns).Any(pair => pair.First!.IsPrimaryOnly && !Has(pair.Second, "CASE WHEN")))
            return FakeAnswer.Error("55000", "recovery is in progress");
        return FakeAnswer.Table([.. known.Select(expression => ("?column?", expression!.Type))]).With([.. known.Select(expression => expression!.Value(state, connection))]);
    }

    private static ServerExpression? Find(string column) => s_expressions.FirstOrDefault(known => Has(column, known.Text));

    private static bool Has(string sql, string text) => sql.Contains(text, StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns the entries for a position: as a number, and as an LSN.</summary>
    private static ServerExpression[] Position(string function, Func<FakeServerState, ulong?> lsn, bool isPrimaryOnly = false) =>
    [
        new($"({function}() - '0/0')::int8", typeof(long), (state, _) => (long?)lsn(state), isPrimaryOnly),
        new($"{function}()", typeof(NpgsqlLogSequenceNumber), (state, _) => lsn(state) is { } value ? new NpgsqlLogSequenceNumber(value) : null, isPrimaryOnly),
    ];

    /// <summary>Returns the name of a WAL file: the timeline and the number of the 16 MB segment.</summary>
    private static string WalFile(FakeServerState state) => $"{state.Timeline:X8}{state.Lsn >> 32:X8}{(state.Lsn & uint.MaxValue) >> 24:X8}";

    /// <summary>Returns the start time with PostgreSQL's precision, microseconds.</summary>
    private static DateTime StartedAt(FakeServerState state)
    {
        var started = (state.StartedAt ?? DateTimeOffset.UnixEpoch).UtcDateTime;
        return started.AddTicks(-(started.Ticks % TimeSpan.TicksPerMicrosecond));
    }

    private static FakeAnswer StatusOf(FakeStatement statement, FakeConnection connection)
    {
        if (statement.IsPreparation || statement.Parameters is not [long id]) return FakeAnswer.Row([null]);
        return connection.Server.Transactions.StatusOf(id) is { } status ? FakeAnswer.Row(status) : FakeAnswer.Error("22023", $"transaction ID {id} is in the future");
    }

    private static FakeConnection? Parameter(FakeStatement statement, FakeConnection connection) =>
        statement.Parameters is [int id, ..] ? connection.Server.Find(id) : null;

    private static int Terminate(FakeStatement statement, FakeConnection connection) => statement.Parameters is not [int[] ids, string application] ? 0
        : ids.Select(connection.Server.Find).Count(other => other is not null && other != connection && other.ApplicationName == application && other.Terminate());
}
