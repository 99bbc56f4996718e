using System.Data;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Runs callers' work on a host, and again where that is safe.</summary>
internal sealed class Executor(ConnectionOpener opener, TimeProvider time, Random random, ILogger logger)
{
    /// <summary>Hosts that one read may be tried on. With three failures in a row, the next is not the host's fault.</summary>
    private const int MaxRuns = 3;

    private const int MaxTransactionRuns = 6;
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(10);

    public async Task<T> ExecuteAsync<T>(Attempt attempt, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        if (attempt.Remaining(time) is not { } limit) return await RunAsync(attempt, work, cancellationToken).ConfigureAwait(false);

        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await RunAsync(attempt, work, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw attempt.Expired(e);
        }
    }

    public T Execute<T>(Attempt attempt, Func<NpgsqlConnection, T> work)
    {
        for (var run = 1; ; run++)
        {
            var (connection, pool) = opener.Open(attempt);
            var startedAt = time.GetTimestamp();
            using (connection)
            {
                try
                {
                    return work(connection);
                }
                catch (Exception e) when (IsToBeRunElsewhere(e, attempt, pool, startedAt, run))
                {
                    attempt.Exclude(pool.Host, e, time.GetTimestamp());
                }
            }
        }
    }

    public async Task<T> WithTransactionAsync<T>(
        Func<Attempt> newAttempt, IsolationLevel isolationLevel, Func<NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        for (var run = 1; ; run++)
        {
            try
            {
                return await TransactionAsync(newAttempt(), isolationLevel, work, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException e) when (run < MaxTransactionRuns && e.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected)
            {
                // Full jitter: those who met in a deadlock must not meet again.
                await Task.Delay(FirstBackoff * Math.Pow(2, run - 1) * random.NextDouble(), time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<T> RunAsync<T>(Attempt attempt, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        for (var run = 1; ; run++)
        {
            var (connection, pool) = await opener.OpenAsync(attempt, cancellationToken).ConfigureAwait(false);
            var startedAt = time.GetTimestamp();
            await using (connection.ConfigureAwait(false))
            {
                try
                {
                    return await work(connection, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (IsToBeRunElsewhere(e, attempt, pool, startedAt, run))
                {
                    attempt.Exclude(pool.Host, e, time.GetTimestamp());
                }
            }
        }
    }

    private bool IsToBeRunElsewhere(Exception exception, Attempt attempt, HostPool pool, long startedAt, int run)
    {
        var kind = FailureClassifier.Classify(exception);
        // A command that ran into its time-out is a slow query as likely as a slow host. The probes tell which.
        if (kind == FailureKind.Timeout || !opener.Report(exception, pool, startedAt)) return false;
        if (!attempt.MayRetry || run >= MaxRuns || kind == FailureKind.ReadOnly) return false;
        Log.RetriedElsewhere(logger, attempt.Plan.Name, pool.Host.Name, kind.ToString());
        return true;
    }

    private async Task<T> TransactionAsync<T>(
        Attempt attempt, IsolationLevel isolationLevel, Func<NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        var (connection, pool) = await opener.OpenAsync(attempt, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var startedAt = time.GetTimestamp();
            var isCommitting = false;
            try
            {
                var transaction = await connection.BeginTransactionAsync(isolationLevel, cancellationToken).ConfigureAwait(false);
                await using (transaction.ConfigureAwait(false))
                {
                    var result = await work(transaction, cancellationToken).ConfigureAwait(false);
                    await ThrowIfAbortedAsync(transaction, cancellationToken).ConfigureAwait(false);
                    isCommitting = true;
                    // A COMMIT that was sent can't be taken back: cancelling it would only lose the answer.
                    await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
                    return result;
                }
            }
            catch (Exception e)
            {
                opener.Report(e, pool, startedAt);
                if (isCommitting && !IsKnownToBeRolledBack(e)) throw new TransactionOutcomeUnknownException(pool.Host.Name, e);
                throw;
            }
        }
    }

    /// <summary>COMMIT of a transaction in which a statement failed is no error: the server rolls back and says so in a tag that nobody reads.</summary>
    /// <exception cref="PostgresException">25P02: the work has swallowed an error.</exception>
    private static async Task ThrowIfAbortedAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        // Without a connection the work has ended the transaction itself; COMMIT will say so.
        if (transaction.Connection is not { } connection) return;
        var command = new NpgsqlCommand("SELECT 1", connection, transaction);
        await using (command.ConfigureAwait(false)) await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>An error that the server sent says that it rolled back; ours that COMMIT was never sent. Anything else leaves the outcome open.</summary>
    private static bool IsKnownToBeRolledBack(Exception e) => e switch
    {
        // Poolers answer for a server that they have lost: 08xxx, and 40003 says itself that it does not know.
        PostgresException { SqlState: PostgresErrorCodes.StatementCompletionUnknown } => false,
        PostgresException postgres => postgres.InvariantSeverity == "ERROR" && !postgres.SqlState.StartsWith("08", StringComparison.Ordinal),
        InvalidOperationException or NpgsqlOperationInProgressException => true,
        _ => false,
    };
}
