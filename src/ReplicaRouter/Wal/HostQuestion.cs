using Npgsql;

namespace ReplicaRouter.Wal;

/// <summary>The queries about a server itself, sent by probes and at each login of a pool.</summary>
internal static class HostQuestion
{
    /// <summary>The application name of probes, by which they count one another.</summary>
    public const string Prober = "ReplicaRouter probe";

    /// <summary>Highest number of routers that is counted. From there on, probes are already as rare as they get.</summary>
    private const string MostProbers = "2700";

    /// <summary>Everything in one round trip, for any role that can log in, from PostgreSQL 10 on.</summary>
    /// <remarks>
    /// A primary's timeline is read from the name of its WAL file: pg_control_checkpoint() shows the old one until the first
    /// checkpoint after a promotion. pg_walfile_name() fails on a standby, hence the CASE. On a standby, the control file shows which
    /// timeline replay has reached at least, even to roles that can't see the WAL receiver's state, and when the receiver is dead.
    /// Any client can use any application name, so only connections of our own role count as probes.
    /// The insert position is the only one that is at or after every acknowledged commit when synchronous_commit is off.
    /// Source: PostgreSQL manual, "System Administration Functions" and "pg_stat_wal_receiver".
    /// </remarks>
    private const string Everything = $"""
        {Changing},
               (SELECT system_identifier FROM pg_control_system()),
               CASE WHEN pg_is_in_recovery() THEN (SELECT greatest(timeline_id, min_recovery_end_timeline)
                                                   FROM pg_control_checkpoint(), pg_control_recovery()) END,
               (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::int8,
               current_setting('port')::int,
               pg_size_bytes(current_setting('wal_segment_size')),
               current_setting('wal_block_size')::int,
               (extract(epoch FROM current_setting('wal_writer_delay')::interval) * 3000)::float8,
               (SELECT least(count(*), {MostProbers}) FROM pg_stat_activity WHERE application_name = '{Prober}' AND usename = session_user)::int,
               current_setting('max_connections')::int,
               (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only')
        """;

    /// <summary>What changes while a server runs. Costs a fifth, as the control file is not read.</summary>
    private const string Changing = """
        SELECT pg_is_in_recovery(),
               CASE WHEN pg_is_in_recovery() THEN (SELECT CASE WHEN pid IS NOT NULL THEN coalesce(received_tli, -1) END FROM pg_stat_get_wal_receiver())
                    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
               CASE WHEN pg_is_in_recovery() THEN NULL ELSE (pg_current_wal_insert_lsn() - '0/0')::int8 END,
               (pg_last_wal_replay_lsn() - '0/0')::int8,
               (pg_last_wal_receive_lsn() - '0/0')::int8,
               CASE WHEN pg_is_in_recovery() THEN NULL ELSE (pg_current_wal_flush_lsn() - '0/0')::int8 END,
               current_setting('synchronous_standby_names') <> '' AND current_setting('synchronous_commit') NOT IN ('off', 'local'),
               coalesce(current_setting('synchronous_standby_names', true), '') <> '',
               NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'on',
               (SELECT max(oid)::int8 FROM pg_type)
        """;

    /// <summary>Hashes the types that Npgsql knows by name. Omits row types of tables, which come and go with temporary ones, and arrays, which follow their element.</summary>
    private const string Types = """
        SELECT coalesce(sum(hashoid(t.oid)::int8), 0)::int8 FROM pg_type t
        WHERE (t.typtype IN ('b', 'd', 'e', 'm', 'r') AND t.typcategory <> 'A')
           OR (t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
        """;

    /// <summary>Asks everything over a connection that was already open at <paramref name="connectedAt"/>, with a time-out in seconds; 0 for none.</summary>
    public static async ValueTask<HostAnswer> AskAsync(NpgsqlConnection connection, long connectedAt, int timeout, bool async, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(Everything, connection) { CommandTimeout = timeout };
        await using var _ = command.ConfigureAwait(false);
        return await command.ReadRowAsync(reader => Read(reader, connectedAt), async, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns the command that asks again over the same connection, which can only reach the same run of the same server.</summary>
    public static NpgsqlCommand Again(NpgsqlConnection connection) => new(Changing, connection);

    /// <summary>Asks with the command of <see cref="Again"/>. Takes the rest from the server's former answer.</summary>
    public static ValueTask<HostAnswer> AskAgainAsync(NpgsqlCommand again, HostAnswer before, CancellationToken cancellationToken) =>
        again.ReadRowAsync(reader => ReadChanging(reader, before), async: true, cancellationToken);

    public static async Task<long> AskTypesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(Types, connection) { CommandTimeout = 0 };
        await using var _ = command.ConfigureAwait(false);
        return (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>Runs a query that returns one row, and reads it. If not <paramref name="async"/>, completes before it returns.</summary>
    public static async ValueTask<T> ReadRowAsync<T>(this NpgsqlCommand command, Func<NpgsqlDataReader, T> read, bool async, CancellationToken cancellationToken)
    {
        if (!async)
        {
            using var row = command.ExecuteReader();
            row.Read();
            return read(row);
        }

        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return read(reader);
    }

    private static HostAnswer Read(NpgsqlDataReader reader, long connectedAt)
    {
        var answer = ReadChanging(reader, new HostAnswer
        {
            SystemIdentifier = (ulong)reader.GetInt64(10),
            StartedAt = reader.GetInt64(12),
            ServerPort = reader.GetInt32(13),
            WalSegmentSize = (uint)reader.GetInt64(14),
            WalBlockSize = (uint)reader.GetInt32(15),
            AsyncFlushMs = reader.GetDouble(16),
            Probers = reader.GetInt32(17),
            MaxConnections = reader.GetInt32(18),
            ConnectedAt = connectedAt,
        });
        return answer with
        {
            ReplayTimeline = answer.Timeline ?? (reader.IsDBNull(11) ? null : reader.GetInt32(11)),
            ReadOnlyBy = answer.ReadOnlyBy is null ? null : reader.GetString(19),
        };
    }

    private static HostAnswer ReadChanging(NpgsqlDataReader reader, HostAnswer rest)
    {
        int? shown = reader.IsDBNull(1) ? null : reader.GetInt32(1);
        var timeline = shown > 0 ? shown : null;
        return rest with
        {
            IsInRecovery = reader.GetBoolean(0),
            Timeline = timeline,
            ReplayTimeline = timeline,
            IsTimelineHidden = shown < 0,
            InsertLsn = EndOfRecord(reader, 2, rest),
            ReplayLsn = Lsn(reader, 3),
            ReceiveLsn = EndOfRecord(reader, 4, rest),
            FlushLsn = EndOfRecord(reader, 5, rest),
            HasSynchronousStandbys = reader.GetBoolean(6),
            MayAwaitStandbys = reader.GetBoolean(7),
            // Settings of a role or database take effect at the next login: a change under an open connection comes from the server's own configuration.
            ReadOnlyBy = reader.GetBoolean(8) ? rest.ReadOnlyBy ?? "configuration file" : null,
            NewestType = reader.GetInt64(9),
        };
    }

    private static ulong? EndOfRecord(NpgsqlDataReader reader, int column, HostAnswer server) =>
        Lsn(reader, column) is { } lsn ? WalPosition.EndOfRecord(lsn, server.WalSegmentSize, server.WalBlockSize) : null;

    private static ulong? Lsn(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : (ulong)reader.GetInt64(column);
}
