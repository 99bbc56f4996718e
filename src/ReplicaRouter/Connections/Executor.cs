using System.Data;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Runs callers' work on a host, and again where that is safe.</summary>
internal sealed class Executor(ConnectionOpener opener, TimeProvider time, ILogger logger)
{
    /// <summary>Hosts that one read may be tried on. With three failures in a row, the next is not the host's fault.</summary>
    private const int MaxRuns = 3;

    private const int MaxTransactionRuns = 6;
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(10);

    public async Task<T> ExecuteAsync<T>(Attempt attempt, TimeSpan? deadline, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        if (deadline is not { } limit) return await RunAsync(attempt, work, cancellationToken).ConfigureAwait(false);

        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await RunAsync(attempt, work, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The '{attempt.Plan.Name}' operation did not end within its deadline of {limit.TotalMilliseconds:0} ms.", e);
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
                    attempt.Exclude(pool.Host, e);
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
                await Task.Delay(FirstBackoff * Math.Pow(2, run - 1) * opener.Random.NextDouble(), time, cancellationToken).ConfigureAwait(false);
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
                    attempt.Exclude(pool.Host, e);
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
                    isCommitting = true;
                    // A COMMIT that was sent can't be taken back: cancelling it would only lose the answer.
                    await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
                    return result;
                }
            }
            catch (Exception e)
            {
                opener.Report(e, pool, startedAt);
                // An error that the server sent says that it rolled back; a transaction that the work itself has ended was never sent a
                // COMMIT here. Anything else leaves the outcome open.
                if (isCommitting && e is not (PostgresException { InvariantSeverity: "ERROR" } or InvalidOperationException)) throw new TransactionOutcomeUnknownException(pool.Host.Name, e);
                throw;
            }
        }
    }
}
