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
        var stopping = Task.CompletedTask;
        try
        {
            var isSlow = await IsSlowAsync(first, _policy.DelayOf(attempt.Plan.Index), loser.Token).ConfigureAwait(false);
            if (!isSlow || attempt.Host is null || _policy.TryBegin(attempt.Plan.Index) is not { } setAside) return await first.ConfigureAwait(false);
            var secondAt = time.GetTimestamp();
            try
            {
                var hedge = attempt.Hedge(time);
                var second = run(hedge, loser.Token);
                var winner = await FirstAnswerAsync(first, second).ConfigureAwait(false);
                if (winner == second) counters.CountHedgeWon();
                stopping = winner == second ? StopAsync(first, setAside, () => attempt.IsBeaten = true) : StopAsync(second, setAside, () => hedge.IsStopped = true);
                return await winner.ConfigureAwait(false);
            }
            finally
            {
                _policy.SecondEnded(attempt.Plan.Index, setAside, time.GetElapsedTime(secondAt));
            }
        }
        finally
        {
            _policy.Ended(attempt.Plan.Index, time.GetElapsedTime(startedAt));
            _ = CancelAsync(loser, stopping);
        }
    }

    /// <summary>Whoever has not answered by now has lost, and stops. But most that were slow by chance end at once by themselves, and to cancel one costs its server a process.</summary>
    private async Task StopAsync(Task slower, TimeSpan grace, Action note)
    {
        slower.Forget();
        if (!await slower.EndsWithinAsync(grace, time, CancellationToken.None).ConfigureAwait(false)) note();
    }

    private static async Task CancelAsync(CancellationTokenSource loser, Task stopping)
    {
        await stopping.ConfigureAwait(false);
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

    private async Task<Task<T>> FirstAnswerAsync<T>(Task<T> first, Task<T> second)
    {
        counters.CountHedge();
        var ended = await Task.WhenAny(first, second).ConfigureAwait(false);
        if (ended.IsCompletedSuccessfully) return ended;
        // The second one may fail for want of a further replica; and what fails the first need not fail the second.
        var other = ended == first ? second : first;
        await Task.WhenAny(other).ConfigureAwait(false);
        return other.IsCompletedSuccessfully ? other : first;
    }
}
