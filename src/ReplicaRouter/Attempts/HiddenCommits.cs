using Npgsql;

namespace ReplicaRouter.Attempts;

/// <summary>Queries that find commits that a replica shows and the primary does not show yet.</summary>
/// <remarks>
/// A primary first writes a commit to its disk, from where replicas get it, then waits for its synchronous standbys, and only then shows it. Until then the
/// transaction is in progress there, and committed on each replica that has replayed it. So a replica knows which of the primary's open transactions are
/// committed. The queries work for any role, from PostgreSQL 10 on.
/// Source: PostgreSQL, src/backend/access/transam/xact.c, RecordTransactionCommit and CommitTransaction; xid8funcs.c, pg_xact_status.
/// </remarks>
internal static class HiddenCommits
{
    /// <summary>On the primary: which transactions are open.</summary>
    private const string Open = "SELECT txid_current_snapshot()::text";

    /// <summary>On a replica: which of them it shows as committed.</summary>
    /// <remarks>
    /// A snapshot does not list open transactions that are newer than the last one that ended, so the query also checks those up to the replica's own last one.
    /// </remarks>
    private const string Committed = """
        SELECT string_agg(id::text, ',')
        FROM (SELECT txid_snapshot_xmax(txid_current_snapshot()) AS next OFFSET 0) AS replica,
             LATERAL (SELECT txid_snapshot_xip($1::txid_snapshot)
                      UNION ALL SELECT generate_series(txid_snapshot_xmax($1::txid_snapshot), next - 1)) AS opened (id)
        WHERE CASE WHEN id < next THEN txid_status(id) = 'committed' END
        """;

    /// <summary>On the primary: which transactions are still open.</summary>
    private const string StillOpen = "SELECT string_agg(id, ',') FROM unnest(string_to_array($1, ',')) AS id WHERE txid_status(id::bigint) = 'in progress'";

    /// <summary>On the primary, if no replica can be asked: each open transaction that may be committing, and whether it waits for a synchronous standby.</summary>
    /// <remarks>
    /// Each transaction that writes holds a lock on its own id until it is shown. Without pg_read_all_stats, wait_event and state of other roles' sessions are null.
    /// </remarks>
    private const string Suspects = """
        SELECT transactionid::text::bigint, coalesce(wait_event = 'SyncRep', false)
        FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted AND coalesce(state NOT LIKE 'idle in transaction%', true)
        """;

    /// <returns>The transactions that are open on a primary, for <see cref="CommittedAsync"/>.</returns>
    public static async Task<string> OpenAsync(NpgsqlConnection primary, CancellationToken cancellationToken) =>
        await AskAsync(primary, Open, null, cancellationToken).ConfigureAwait(false) ?? "";

    /// <returns>Those of them that a replica shows as committed; null for none.</returns>
    public static Task<string?> CommittedAsync(NpgsqlConnection replica, string open, CancellationToken cancellationToken) => AskAsync(replica, Committed, open, cancellationToken);

    /// <returns>Those that the primary still hides; null for none.</returns>
    public static async Task<string?> StillHiddenAsync(NpgsqlConnection primary, string hidden, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(primary, StillOpen, hidden, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            // "is in the future": a failover lost the transaction. Positions reveal that; waiting would not help.
            return null;
        }
    }

    /// <returns>The open transactions of a primary that may already be committed, and whether each waits for a synchronous standby.</returns>
    public static async Task<Dictionary<long, bool>> SuspectsAsync(NpgsqlConnection primary, CancellationToken cancellationToken)
    {
        var suspects = new Dictionary<long, bool>();
        CommandFlow.Current.Value = CommandFlow.Uncounted;
        var command = new NpgsqlCommand(Suspects, primary);
        await using var _ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false)) suspects[reader.GetInt64(0)] = reader.GetBoolean(1);
        return suspects;
    }

    private static async Task<string?> AskAsync(NpgsqlConnection connection, string question, string? parameter, CancellationToken cancellationToken)
    {
        CommandFlow.Current.Value = CommandFlow.Uncounted;   // Holds only in this async method's own context.
        var command = new NpgsqlCommand(question, connection);
        await using var _ = command.ConfigureAwait(false);
        if (parameter is not null) command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = parameter });
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as string;
    }
}
