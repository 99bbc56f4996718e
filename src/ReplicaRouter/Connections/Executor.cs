using System.Collections.Immutable;
using System.Data;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Runs callers' work on a host, and again where that is safe.</summary>
internal sealed class Executor(
    ConnectionOpener opener, OutcomeResolver outcomes, Hedging hedging, RoutingCounters counters, TimeProvider time, Random random, ILogger logger)
{
    /// <summary>Hosts that one read may be tried on. With three failures in a row, the next is not the host's fault.</summary>
    private const int MaxRuns = 3;

    private const int MaxTransactionRuns = 6;
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(10);

    // As much as was under way on a host that fails may be run again at once; for as long as it lasts, one in five.
    private readonly Budget _retries = new(share: 0.2, most: 100, perSecond: 10, time);

    public async Task<T> ExecuteAsync<T>(Attempt attempt, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        if (attempt.Remaining(time) is not { } limit) return await RunHedgedAsync(attempt, work, cancellationToken).ConfigureAwait(false);

        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await RunHedgedAsync(attempt, work, either.Token).ConfigureAwait(false);
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
            var flow = new CommandFlow();
            var before = CommandFlow.Current.Value;
            try
            {
                CommandFlow.Current.Value = flow;
                using var _ = connection;
                var result = work(connection);
                _retries.Earn();
                return result;
            }
            catch (Exception e) when (IsToBeRunAgain(e, attempt, pool, connection, flow, startedAt, run))
            {
                attempt.Exclude(pool.Host, e, time.GetTimestamp());
            }
            catch (Exception e) when (IsOutcomeUnknown(e, pool, flow))
            {
                throw new TransactionOutcomeUnknownException(pool.Host.Name, e);
            }
            finally
            {
                CommandFlow.Current.Value = before;
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

    private Task<T> RunHedgedAsync<T>(Attempt attempt, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) => attempt.MayHedge
        ? hedging.RunAsync(attempt, (each, ct) => RunAsync(each, work, ct), cancellationToken)
        : RunAsync(attempt, work, cancellationToken);

    private async Task<T> RunAsync<T>(Attempt attempt, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        for (var run = 1; ; run++)
        {
            var (connection, pool) = await opener.OpenAsync(attempt, cancellationToken).ConfigureAwait(false);
            var startedAt = time.GetTimestamp();
            var flow = new CommandFlow();
            try
            {
                var result = await HostedWork.RunAsync(connection, work, flow, time, opener.GivenUp(pool), cancellationToken).ConfigureAwait(false);
                _retries.Earn();
                return result;
            }
            catch (Exception e) when (IsToBeRunAgain(e, attempt, pool, connection, flow, startedAt, run))
            {
                attempt.Exclude(pool.Host, e, time.GetTimestamp());
            }
            catch (Exception e) when (IsOutcomeUnknown(e, pool, flow))
            {
                throw new TransactionOutcomeUnknownException(pool.Host.Name, e);
            }
        }
    }

    private bool IsToBeRunAgain(Exception exception, Attempt attempt, HostPool pool, NpgsqlConnection connection, CommandFlow flow, long startedAt, int run)
    {
        var kind = FailureClassifier.Classify(exception);
        // A command that ran into its time-out is a slow query as likely as a slow host. The probes tell which.
        if (!opener.Report(exception, pool, startedAt, isLogin: false) || kind == FailureKind.Timeout) return false;
        if (!attempt.MayRetry || run >= MaxRuns) return false;
        if (!(pool.Plan.IsReadOnly ? IsReadToBeRunAgain(kind, attempt) : IsProvablyNotExecuted(exception, kind, connection, flow))) return false;
        if (!_retries.TrySpend())
        {
            counters.CountRetryRefused();
            Log.RetryBudgetSpent(logger, attempt.Plan.Name, pool.Host.Name);
            return false;
        }

        if (!pool.Plan.IsReadOnly) counters.CountWriteRetry();
        else if (kind == FailureKind.Hung) counters.CountMoved();
        else counters.CountRetry();
        if (kind == FailureKind.Hung) Log.Moved(logger, attempt.Plan.Name, pool.Host.Name);
        else Log.RetriedElsewhere(logger, attempt.Plan.Name, pool.Host.Name, kind.ToString());
        return true;
    }

    private static bool IsReadToBeRunAgain(FailureKind kind, Attempt attempt) => kind switch
    {
        FailureKind.ReadOnly => false,
        FailureKind.RecoveryConflict => attempt.Conflicts++ == 0,
        _ => true,
    };

    /// <summary>Whether the server itself said of the very first command that it did not do it.</summary>
    /// <remarks>
    /// A backend that is told to end (57P01) says so only between commands or in the midst of one, which it then rolls back: it holds such interrupts off
    /// while it commits, and when it has committed and waits for a synchronous standby, it goes without this message. Source: PostgreSQL's
    /// <c>ProcessInterrupts</c>, <c>CommitTransaction</c> and <c>SyncRepWaitForLSN</c>. A backend that dies with its server says nothing, or 57P02 at any time.
    /// </remarks>
    private static bool IsProvablyNotExecuted(Exception exception, FailureKind kind, NpgsqlConnection connection, CommandFlow flow) => flow.IsFirstCommand && kind switch
    {
        FailureKind.ReadOnly => ConnectionOpener.IsStandby(connection),
        FailureKind.Restarting => true,
        FailureKind.Terminated => exception is PostgresException { SqlState: PostgresErrorCodes.AdminShutdown, InvariantSeverity: "FATAL" },
        _ => false,
    };

    /// <summary>Whether a connection broke, or was given up, with something sent on a writable route that nobody has answered.</summary>
    private static bool IsOutcomeUnknown(Exception exception, HostPool pool, CommandFlow flow) => !pool.Plan.IsReadOnly && flow.HasSent
        && FailureClassifier.Classify(exception) switch
        {
            FailureKind.Unreachable or FailureKind.Hung => true,
            FailureKind.Terminated => exception is PostgresException { SqlState: PostgresErrorCodes.CrashShutdown },
            _ => false,
        };

    private async Task<T> TransactionAsync<T>(
        Attempt attempt, IsolationLevel isolationLevel, Func<NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        for (var run = 1; ; run++)
        {
            var (connection, pool) = await opener.OpenAsync(attempt, cancellationToken).ConfigureAwait(false);
            var startedAt = time.GetTimestamp();
            var flow = new CommandFlow();
            var commit = new CommitUnderWay();
            try
            {
                return await HostedWork.RunAsync(connection, (opened, stop) => TransactionAsync(opened, pool, isolationLevel, work, commit, stop), flow, time, opener.GivenUp(pool), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (commit.Mark is { } mark && !IsKnownToBeRolledBack(e))
            {
                opener.Report(e, pool, startedAt, isLogin: false);
                throw new TransactionOutcomeUnknownException(pool.Host.Name, e) { Resolve = ct => outcomes.ResolveAsync(mark, ct) };
            }
            catch (Exception e) when (commit.Mark is null && IsToBeRunAgain(e, attempt, pool, connection, flow, startedAt, run))
            {
                attempt.Exclude(pool.Host, e, time.GetTimestamp());
            }
        }
    }

    private async Task<T> TransactionAsync<T>(
        NpgsqlConnection connection, HostPool pool, IsolationLevel isolationLevel, Func<NpgsqlTransaction, CancellationToken, Task<T>> work, CommitUnderWay commit, CancellationToken stop)
    {
        var transaction = await connection.BeginTransactionAsync(isolationLevel, stop).ConfigureAwait(false);
        await using var _ = transaction.ConfigureAwait(false);
        var result = await work(transaction, stop).ConfigureAwait(false);
        // Without a connection the work has ended the transaction itself; COMMIT will say so.
        var mark = transaction.Connection is null ? TransactionMark.None : await outcomes.MarkAsync(transaction, pool, stop).ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
        commit.Mark = mark;
        // A COMMIT that was sent can't be taken back: cancelling it would only lose the answer.
        await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        return result;
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

    /// <summary>Set from the moment that COMMIT is sent.</summary>
    private sealed class CommitUnderWay
    {
        public volatile TransactionMark? Mark;
    }
}
