using Npgsql;

namespace ReplicaRouter.Execution;

/// <summary>Determines the outcome of a transaction whose COMMIT got no answer.</summary>
internal sealed class OutcomeResolver(RouterConfiguration configuration, TopologyStore store, ConnectionOpener opener, TimeProvider time)
{
    private const string MarkQuestion = $"SELECT {PrimaryFacts.Columns}, txid_current_if_assigned()";
    private const string FactsQuestion = $"SELECT {PrimaryFacts.Columns}, (SELECT system_identifier FROM pg_control_system())";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    /// <summary>Records what that requires, in the round trip that also checks the transaction for an earlier error.</summary>
    /// <remarks>COMMIT raises no error after a failed statement: the server rolls back, and says so only in a command tag that clients do not read.</remarks>
    /// <exception cref="PostgresException">25P02: the work has swallowed an error.</exception>
    public async ValueTask<TransactionMark> MarkAsync(NpgsqlTransaction transaction, bool async, CancellationToken cancellationToken)
    {
        // If positions can't be used, this still checks the transaction.
        var question = configuration.SessionWindow is null ? MarkQuestion : "SELECT 1";
        var command = new NpgsqlCommand(question, transaction.Connection, transaction);
        await using var _ = command.ConfigureAwait(false);
        return await command.ReadRowAsync(Read, async, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns the outcome; <see cref="TransactionOutcome.Unknown"/> also if it can't be determined within the time that a write waits for a primary.</summary>
    public async Task<TransactionOutcome> ResolveInTimeAsync(TransactionMark mark, SessionState? session, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(configuration.PlanOf(DatabaseOperation.Transactional).Wait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        while (true)
        {
            try
            {
                return await ResolveAsync(mark, session, either.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or NoEligibleHostException or DatabaseRouterConfigurationException or ObjectDisposedException)
            {
                return TransactionOutcome.Unknown;
            }
            catch (NpgsqlException)
            {
                // The primary failed during the query, or its pool still held old connections.
                await Task.Delay(Poll, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Returns the outcome once it is decided. If the transaction is committed, its session sees it from then on.</summary>
    public async Task<TransactionOutcome> ResolveAsync(TransactionMark mark, SessionState? session, CancellationToken cancellationToken)
    {
        if (mark.Known is { } known) return known;
        while (true)
        {
            var attempt = new Attempt(configuration.PlanOf(DatabaseOperation.Transactional), default, session, time);
            var (connection, _) = await opener.OpenAsync(attempt, async: true, cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var command = new NpgsqlCommand(FactsQuestion, connection);
                await using var __ = command.ConfigureAwait(false);
                var now = await command.ReadRowAsync(
                    reader => PrimaryFacts.Read(reader, (ulong)reader.GetInt64(5)), async: true, cancellationToken).ConfigureAwait(false);
                var status = await StatusAsync(connection, mark.Id!.Value, cancellationToken).ConfigureAwait(false);
                if (mark.JudgedBy(status, now, store.Current.History) is { } outcome) return outcome;
            }

            // The transaction's backend has not noticed that its client is gone, or still waits for a synchronous standby.
            await Task.Delay(Poll, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private TransactionMark Read(NpgsqlDataReader reader)
    {
        if (configuration.SessionWindow is not null || store.Current.SystemIdentifier is not { } cluster) return TransactionMark.None;
        var facts = PrimaryFacts.Read(reader, cluster);
        return new TransactionMark(reader.IsDBNull(5) ? null : reader.GetInt64(5), facts);
    }

    /// <remarks>Source: PostgreSQL manual, "Transaction ID and Snapshot Information Functions". All versions support the old function name.</remarks>
    private static async Task<string?> StatusAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand("SELECT txid_status($1)", connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = id } } };
        await using var _ = command.ConfigureAwait(false);
        try
        {
            return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as string;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            return "aborted";   // "is in the future": never assigned in this server's history
        }
    }
}
