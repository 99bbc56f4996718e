using System.Data;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Runs callers' work on a host, and again where that is safe.</summary>
internal sealed class Executor(ConnectionOpener opener, RetryRules rules, OutcomeResolver outcomes, LostAnswers lost, Hedging hedging, TimeProvider time, Random random)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(10);

    public async Task<T> ExecuteAsync<T>(Attempt attempt, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        return attempt.Remaining(time) is { } limit
            ? await WithinAsync(limit, attempt, ct => RunHedgedAsync(attempt, work, ct), cancellationToken).ConfigureAwait(false)
            : await RunHedgedAsync(attempt, work, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends an operation at its caller's deadline.</summary>
    private async Task<T> WithinAsync<T>(TimeSpan limit, Attempt attempt, Func<CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await run(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // A strategy that takes a time-out for transient would run it again.
            throw attempt.IsOutcomeUnknown ? new TransactionOutcomeUnknownException(attempt.Host!.Name, e) : attempt.Expired(e);
        }
    }

    public T Execute<T>(Attempt attempt, Func<NpgsqlConnection, T> work)
    {
        for (var run = 1; ; run++)
        {
            var (connection, pool) = opener.Open(attempt);
            var (startedAt, flow) = (time.GetTimestamp(), new CommandFlow());
            try
            {
                var result = Run(connection, work, flow);
                rules.Succeeded(attempt);
                return result;
            }
            catch (Exception e)
            {
                var decision = rules.Decide(e, attempt, pool, flow, startedAt, run);
                if (decision == RetryDecision.UnknownOutcome) throw new TransactionOutcomeUnknownException(pool.Host.Name, e);
                if (!decision.IsAgain()) throw;
            }
            finally
            {
                pool.Uncount(flow);
            }
        }
    }

    public Task<T> WithTransactionAsync<T>(Attempt attempt, Func<NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        attempt.Remaining(time) is { } limit
            ? WithinAsync(limit, attempt, ct => RunTransactionsAsync(attempt, work, ct), cancellationToken)
            : RunTransactionsAsync(attempt, work, cancellationToken);

    private async Task<T> RunTransactionsAsync<T>(Attempt attempt, Func<NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        var (run, rollbacks) = (1, 0);
        while (true)
        {
            var (connection, pool) = await opener.OpenAsync(attempt, cancellationToken).ConfigureAwait(false);
            var (startedAt, flow) = (time.GetTimestamp(), new CommandFlow());
            RetryDecision decision;
            try
            {
                var result = await HostedWork.RunAsync(
                    connection, (opened, stop) => TransactionAsync(opened, attempt.IsolationLevel, work, flow, stop), flow, time, lost, pool, opener.GivenUp(pool), cancellationToken).ConfigureAwait(false);
                rules.Succeeded(attempt);
                return result;
            }
            catch (Exception e)
            {
                decision = rules.Decide(e, attempt, pool, flow, startedAt, run, rollbacks);
                if (decision == RetryDecision.UnknownOutcome) throw UnknownOutcome(e, attempt, pool, flow.Mark ?? TransactionMark.None);
                if (!decision.IsAgain()) throw;
            }
            finally
            {
                pool.Uncount(flow);
            }

            run++;
            if (decision != RetryDecision.AgainInNewTransaction) continue;
            attempt.ForgetTries();
            // Full jitter: those who met in a deadlock must not meet again.
            await Task.Delay(FirstBackoff * Math.Pow(2, rollbacks) * random.NextDouble(), time, cancellationToken).ConfigureAwait(false);
            (run, rollbacks) = (1, rollbacks + 1);
        }
    }

    private TransactionOutcomeUnknownException UnknownOutcome(Exception exception, Attempt attempt, HostPool pool, TransactionMark mark) =>
        new(pool.Host.Name, exception) { Resolve = ct => outcomes.ResolveAsync(mark, attempt.Session, ct) };

    private Task<T> RunHedgedAsync<T>(Attempt attempt, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) => attempt.MayHedge
        ? hedging.RunAsync(attempt, (each, ct) => RunAsync(each, work, ct), cancellationToken)
        : RunAsync(attempt, work, cancellationToken);

    private async Task<T> RunAsync<T>(Attempt attempt, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        for (var run = 1; ; run++)
        {
            var (connection, pool) = await opener.OpenAsync(attempt, cancellationToken).ConfigureAwait(false);
            var (startedAt, flow) = (time.GetTimestamp(), new CommandFlow { Attempt = attempt });
            try
            {
                var result = await HostedWork.RunAsync(connection, work, flow, time, IfWrites(pool), pool, opener.GivenUp(pool), cancellationToken).ConfigureAwait(false);
                rules.Succeeded(attempt);
                return result;
            }
            catch (Exception e)
            {
                var decision = rules.Decide(e, attempt, pool, flow, startedAt, run);
                attempt.IsOutcomeUnknown = decision is RetryDecision.UnknownOutcome or RetryDecision.CancelledInDoubt;
                if (decision == RetryDecision.UnknownOutcome) throw new TransactionOutcomeUnknownException(pool.Host.Name, e);
                if (!decision.IsAgain()) throw;
            }
            finally
            {
                pool.Uncount(flow);
            }
        }
    }

    /// <summary>A read that may be lost is run elsewhere at once; what writes is given up only for good reason.</summary>
    private LostAnswers? IfWrites(HostPool pool) => pool.Plan.IsReadOnly ? null : lost;

    private static T Run<T>(NpgsqlConnection connection, Func<NpgsqlConnection, T> work, CommandFlow flow)
    {
        var before = CommandFlow.Current.Value;
        CommandFlow.Current.Value = flow;
        using var _ = connection;
        try
        {
            return work(connection);
        }
        finally
        {
            flow.Leave(connection);
            CommandFlow.Current.Value = before;
        }
    }

    private async Task<T> TransactionAsync<T>(
        NpgsqlConnection connection, IsolationLevel isolationLevel, Func<NpgsqlTransaction, CancellationToken, Task<T>> work, CommandFlow flow, CancellationToken stop)
    {
        var transaction = await connection.BeginTransactionAsync(isolationLevel, stop).ConfigureAwait(false);
        await using var _ = transaction.ConfigureAwait(false);
        var result = await work(transaction, stop).ConfigureAwait(false);
        // Without a connection the work has ended the transaction itself; COMMIT will say so.
        flow.BeginCommit(transaction.Connection is null ? TransactionMark.None : await outcomes.MarkAsync(transaction, stop).ConfigureAwait(false));
        // A COMMIT that was sent can't be taken back: cancelling it would only lose the answer.
        await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        return result;
    }
}
