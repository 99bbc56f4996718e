using System.Runtime.CompilerServices;

namespace ReplicaRouter.Execution;

/// <summary>Runs callers' work on a host, and retries it where that is safe: opens, runs, classifies failures, and decides.</summary>
internal sealed class Executor(
    TopologyStore store, ConnectionOpener opener, RetryRules rules, OutcomeResolver outcomes, LostAnswers lost, Hedging hedging, TimeProvider time, Random random)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(10);

    public Task<T> ExecuteAsync<T>(Attempt attempt, Work<T> work, CancellationToken cancellationToken) =>
        attempt.Remaining(time) is { } limit ? WithinAsync(limit, attempt, work, cancellationToken) : WithoutLimitAsync(attempt, work, cancellationToken);

    public T Execute<T>(Attempt attempt, Work<T> work) => RunAsync(attempt, work, async: false, CancellationToken.None).Wait();

    /// <summary>Runs an operation that ends at its caller's deadline.</summary>
    private async Task<T> WithinAsync<T>(TimeSpan limit, Attempt attempt, Work<T> work, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await WithoutLimitAsync(attempt, work, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Not a TimeoutException if the outcome is unknown: a retry strategy that treats time-outs as transient would run the work again.
            throw attempt.IsOutcomeUnknown ? new TransactionOutcomeUnknownException(attempt.Host!.Name, e) : attempt.Expired(e);
        }
    }

    private Task<T> WithoutLimitAsync<T>(Attempt attempt, Work<T> work, CancellationToken cancellationToken) => attempt.MayHedge && !work.IsTransaction
        ? HedgedAsync(attempt, work, cancellationToken)
        : RunAsync(attempt, work, async: true, cancellationToken).AsTask();

    // Apart, as its closure is allocated at its start: other operations need none.
    private Task<T> HedgedAsync<T>(Attempt attempt, Work<T> work, CancellationToken cancellationToken) =>
        hedging.RunAsync(attempt, (each, ct) => RunAsync(each, work, async: true, ct).AsTask(), cancellationToken);

    /// <summary>Opens and runs until there is a result or an error for the caller. If not <paramref name="async"/>, completes before it returns.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<T> RunAsync<T>(Attempt attempt, Work<T> work, bool async, CancellationToken cancellationToken)
    {
        var (run, rollbacks) = (1, 0);
        while (true)
        {
            var (connection, pool) = await opener.OpenAsync(attempt, async, cancellationToken).ConfigureAwait(false);
            var (startedAt, flow) = (time.GetTimestamp(), new CommandFlow { Attempt = work.IsTransaction ? null : attempt });
            RetryDecision decision;
            try
            {
                var result = async
                    ? await HostedWork.RunAsync(connection, work, flow, time, pool.Plan.IsReadOnly ? null : lost, pool, GivenUp(pool), cancellationToken).ConfigureAwait(false)
                    : await HostedWork.RunToEndAsync(connection, work, flow, async: false, cancellationToken).ConfigureAwait(false);
                rules.Succeeded(attempt);
                return result;
            }
            catch (Exception e)
            {
                decision = rules.Decide(e, attempt, pool, flow, startedAt, run, work.IsTransaction ? rollbacks : null);
                attempt.IsOutcomeUnknown = decision is RetryDecision.UnknownOutcome or RetryDecision.CancelledInDoubt;
                if (decision == RetryDecision.UnknownOutcome) throw UnknownOutcome(e, attempt, work.IsTransaction ? flow.Mark ?? TransactionMark.None : null);
                if (!decision.IsRetry()) throw;
            }
            finally
            {
                pool.Uncount(flow);
            }

            run++;
            if (decision != RetryDecision.RetryInNewTransaction) continue;
            attempt.ForgetTries();
            // Full jitter, so that transactions that deadlocked do not collide again.
            await Task.Delay(FirstBackoff * Math.Pow(2, rollbacks) * random.NextDouble(), time, cancellationToken).ConfigureAwait(false);
            (run, rollbacks) = (1, rollbacks + 1);
        }
    }

    private TransactionOutcomeUnknownException UnknownOutcome(Exception exception, Attempt attempt, TransactionMark? mark) =>
        new(attempt.Host!.Name, exception) { Resolve = mark is null ? null : ct => outcomes.ResolveAsync(mark, attempt.Session, ct) };

    /// <summary>Returns a token that is cancelled when work on a host must be abandoned: a read at once, as its retry is safe; work that can write only after a check.</summary>
    private CancellationToken GivenUp(HostPool pool)
    {
        if (!pool.Plan.IsReadOnly) return pool.Owner.Superseded.Token;
        var token = pool.Owner.Lost.Token;
        // The host can have been lost since it was chosen, before the token was taken.
        return store.Current.At(pool.Host.Index) is { IsLost: true } ? new CancellationToken(true) : token;
    }
}
