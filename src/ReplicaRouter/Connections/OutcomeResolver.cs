using Npgsql;

namespace ReplicaRouter;

/// <summary>Finds out what became of a transaction whose COMMIT got no answer.</summary>
internal sealed class OutcomeResolver(RouterConfiguration configuration, TopologyStore store, ConnectionOpener opener, TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    /// <summary>Notes what is needed for it, in the round trip that looks whether the transaction is still well.</summary>
    /// <remarks>COMMIT of a transaction in which a statement failed is no error: the server rolls back and says so in a tag that nobody reads.</remarks>
    /// <exception cref="PostgresException">25P02: the work has swallowed an error.</exception>
    public async Task<TransactionMark> MarkAsync(NpgsqlTransaction transaction, HostPool pool, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection!;
        var usesPositions = configuration.SessionWindow is null;
        var command = new NpgsqlCommand(usesPositions ? "SELECT txid_current_if_assigned(), (pg_current_wal_insert_lsn() - '0/0')::int8" : "SELECT 1", connection, transaction);
        await using var _ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (!usesPositions || reader.IsDBNull(0) || pool.Logins.Known(connection) is not { } login) return TransactionMark.None;
        return new TransactionMark(reader.GetInt64(0), (ulong)reader.GetInt64(1), login.Server, login.Timeline ?? 0);
    }

    public async Task<TransactionOutcome> ResolveAsync(TransactionMark mark, CancellationToken cancellationToken)
    {
        while (true)
        {
            var attempt = new Attempt(configuration.PlanOf(DatabaseOperation.Transactional), default, null, time);
            var (connection, pool) = await opener.OpenAsync(attempt, cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var server = await pool.Logins.OfAsync(connection).ConfigureAwait(false);
                if (mark.JudgedBy(server, store.Current.History) is { } outcome) return outcome;
                if (await StatusAsync(connection, mark.Id!.Value, cancellationToken).ConfigureAwait(false) is { } status) return status;
            }

            // Its backend has not noticed yet that nobody waits, or still waits for a synchronous standby.
            await Task.Delay(Poll, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <returns>Null while the transaction is still in progress.</returns>
    /// <remarks>Source: PostgreSQL manual, "Transaction ID and Snapshot Information Functions". The old name is known to all versions.</remarks>
    private static async Task<TransactionOutcome?> StatusAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand("SELECT txid_status($1)", connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = id } } };
        await using var _ = command.ConfigureAwait(false);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) switch
        {
            "committed" => TransactionOutcome.Committed,
            "aborted" => TransactionOutcome.RolledBack,
            "in progress" => null,
            _ => TransactionOutcome.Unknown,   // too old: the server has forgotten it
        };
    }
}
