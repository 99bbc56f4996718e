using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>Gives a slow read a second run on another replica, if need be a third, and takes the first answer.</summary>
/// <remarks>Source: J. Dean, L. A. Barroso, "The Tail at Scale", Communications of the ACM 56(2), 2013.</remarks>
internal sealed class Hedging(ImmutableArray<RoutePlan> routes, RoutingCounters counters, TimeProvider time)
{
    /// <summary>About what it costs a server to be told that a run is to stop: a process, as for a login.</summary>
    private static readonly TimeSpan CancelCost = TimeSpan.FromMilliseconds(5);

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
        List<FurtherRun<T>> further = [];
        try
        {
            Task ended = first;
            var last = attempt;
            while (further.Count < HedgePolicy.MostFurtherRuns
                && await IsSlowAsync(ended, _policy.DelayOf(attempt.Plan.Index), loser.Token).ConfigureAwait(false)
                && last.Host is not null)
            {
                // None may be begun at present: the longer it takes, the more it needs one.
                if (_policy.TryBegin(attempt.Plan.Index) is not { } setAside) continue;
                last = last.Hedge(time);
                counters.CountHedge();
                further.Add(new(last, run(last, loser.Token), setAside, time.GetTimestamp()));
                ended = Task.WhenAny(ended, further[^1].Task);
            }

            if (further.Count == 0) return await first.ConfigureAwait(false);
            var winner = await FirstAnswerAsync([first, .. further.Select(each => each.Task)]).ConfigureAwait(false);
            if (winner != first) counters.CountHedgeWon();
            stopping = StopAsync(attempt, first, further, winner);
            return await winner.ConfigureAwait(false);
        }
        finally
        {
            foreach (var each in further) _policy.SecondEnded(attempt.Plan.Index, each.SetAside, time.GetElapsedTime(each.StartedAt));
            _policy.Ended(attempt.Plan.Index, time.GetElapsedTime(startedAt));
            _ = CancelAsync(loser, stopping);
        }
    }

    /// <summary>Whoever began before the winner is beaten, and whoever began after it is not needed any more.</summary>
    private Task StopAsync<T>(Attempt attempt, Task<T> first, List<FurtherRun<T>> further, Task<T> winner)
    {
        var usual = further[0].SetAside;
        var winnersPlace = further.FindIndex(each => each.Task == winner);
        List<Task> stopping = winner == first ? [] : [StopAsync(first, usual, () => attempt.IsBeaten = true)];
        for (var i = 0; i < further.Count; i++)
        {
            var each = further[i];
            if (i < winnersPlace) stopping.Add(StopAsync(each.Task, usual, () => each.Attempt.IsBeaten = true));
            else if (i > winnersPlace) stopping.Add(StopAsync(each.Task, usual, () => each.Attempt.IsStopped = true));
        }

        return Task.WhenAll(stopping);
    }

    /// <summary>Whoever has not answered by now has lost, and stops. But where reads are short, most that were slow by chance end by themselves sooner than they can be stopped.</summary>
    private async Task StopAsync(Task slower, TimeSpan usual, Action note)
    {
        slower.Forget();
        if (usual >= CancelCost || !await slower.EndsWithinAsync(usual, time, CancellationToken.None).ConfigureAwait(false)) note();
    }

    private static async Task CancelAsync(CancellationTokenSource loser, Task stopping)
    {
        await stopping.ConfigureAwait(false);
        await loser.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        loser.Dispose();
    }

    /// <summary>Whether what is under way takes longer than most do.</summary>
    private async Task<bool> IsSlowAsync(Task ended, TimeSpan? usual, CancellationToken cancellationToken)
    {
        if (ended.IsCompleted || usual is not { } delay) return false;
        await Task.WhenAny(ended, Task.Delay(delay, time, cancellationToken)).ConfigureAwait(false);
        return !ended.IsCompleted && !cancellationToken.IsCancellationRequested;
    }

    /// <summary>A further run may fail for want of a further replica; and what fails the first need not fail the others.</summary>
    private static async Task<Task<T>> FirstAnswerAsync<T>(List<Task<T>> runs)
    {
        var first = runs[0];
        while (runs.Count > 0)
        {
            var ended = await Task.WhenAny(runs).ConfigureAwait(false);
            if (ended.IsCompletedSuccessfully) return ended;
            runs.Remove(ended);
        }

        return first;
    }

    private sealed record FurtherRun<T>(Attempt Attempt, Task<T> Task, TimeSpan SetAside, long StartedAt);
}
