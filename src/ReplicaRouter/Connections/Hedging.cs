using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>Gives a slow read a second run on another replica and takes the first answer.</summary>
/// <remarks>Source: J. Dean, L. A. Barroso, "The Tail at Scale", Communications of the ACM 56(2), 2013.</remarks>
internal sealed class Hedging(ImmutableArray<RoutePlan> routes, RoutingCounters counters, TimeProvider time)
{
    private readonly HedgePolicy _policy = new(routes.Length);

    /// <param name="attempt">The read.</param>
    /// <param name="run">Runs it once.</param>
    /// <param name="cancellationToken">The caller's.</param>
    public async Task<T> RunAsync<T>(Attempt attempt, Func<Attempt, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        var startedAt = time.GetTimestamp();
        var loser = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = run(attempt, loser.Token);
        try
        {
            var isSlow = await IsSlowAsync(first, _policy.DelayOf(attempt.Plan.Index), loser.Token).ConfigureAwait(false);
            if (!isSlow || attempt.Host is null || _policy.TryBegin(attempt.Plan.Index) is not { } setAside) return await first.ConfigureAwait(false);
            var secondAt = time.GetTimestamp();
            try
            {
                var hedge = attempt.Hedge(time);
                return await FirstAnswerAsync(attempt, first, hedge, run(hedge, loser.Token)).ConfigureAwait(false);
            }
            finally
            {
                _policy.SecondEnded(attempt.Plan.Index, setAside, time.GetElapsedTime(secondAt));
            }
        }
        finally
        {
            _policy.Ended(attempt.Plan.Index, time.GetElapsedTime(startedAt));
            // Whoever has not answered by now has lost, and stops.
            _ = CancelAsync(loser);
        }
    }

    private static async Task CancelAsync(CancellationTokenSource loser)
    {
        await loser.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        loser.Dispose();
    }

    /// <summary>Whether a run takes longer than most.</summary>
    private async Task<bool> IsSlowAsync(Task run, TimeSpan? usual, CancellationToken cancellationToken)
    {
        if (run.IsCompleted || usual is not { } delay) return false;
        await Task.WhenAny(run, Task.Delay(delay, time, cancellationToken)).ConfigureAwait(false);
        return !run.IsCompleted;
    }

    private async Task<T> FirstAnswerAsync<T>(Attempt attempt, Task<T> first, Attempt hedge, Task<T> second)
    {
        counters.CountHedge();
        var ended = await Task.WhenAny(first, second).ConfigureAwait(false);
        var other = ended == first ? second : first;
        if (!ended.IsCompletedSuccessfully)
        {
            // The second one may fail for want of a further replica; and what fails the first need not fail the second.
            await Task.WhenAny(other).ConfigureAwait(false);
            if (other.IsCompletedSuccessfully) (ended, other) = (other, ended);
            else ended = first;
        }

        other.Forget();
        hedge.IsStopped = ended == first;
        if (ended == second)
        {
            counters.CountHedgeWon();
            attempt.IsBeaten = true;
        }

        return await ended.ConfigureAwait(false);
    }
}
