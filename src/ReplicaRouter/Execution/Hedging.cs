using System.Collections.Immutable;

namespace ReplicaRouter.Execution;

/// <summary>Gives a slow read a second run on another replica, if need be a third, and takes the first answer.</summary>
/// <remarks>Source: J. Dean, L. A. Barroso, "The Tail at Scale", Communications of the ACM 56(2), 2013.</remarks>
internal sealed class Hedging(ImmutableArray<RoutePlan> routes, RoutingCounters counters, TimeProvider time)
{
    /// <summary>About what it costs a server to be told that a run is to stop: a process, as for a login.</summary>
    private static readonly TimeSpan CancelCost = TimeSpan.FromMilliseconds(5);

    /// <summary>So many times a pause, and it was not the read that took so long.</summary>
    private const double Late = 2;

    private readonly HedgePolicy _policy = new(routes.Length);

    public async Task<T> RunAsync<T>(Attempt attempt, Func<Attempt, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        var (startedAt, route) = (time.GetTimestamp(), attempt.Plan.Index);
        var loser = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = new Run<T>(attempt, run(attempt, loser.Token));
        List<Run<T>> runs = [first];
        var stopping = Task.CompletedTask;
        var isAnswered = false;
        try
        {
            Task<Run<T>>? answer = null;
            while (runs.Count <= HedgePolicy.MostFurtherRuns && await IsSlowAsync(answer ?? (Task)first.Task, route, startedAt, loser.Token).ConfigureAwait(false))
            {
                if (TryBegin(runs[^1].Attempt, run, loser.Token) is not { } next) continue;
                runs.Add(next);
                answer = FirstAnswerAsync(runs);
            }

            var winner = answer is null ? first : await answer.ConfigureAwait(false);
            if (winner != first) counters.Count(RouterEvent.HedgeWon);
            if (answer is not null) stopping = StopAsync(runs, winner);
            var result = await winner.Task.ConfigureAwait(false);
            isAnswered = true;
            return result;
        }
        finally
        {
            foreach (var each in runs.Skip(1)) _policy.SecondEnded(route, each.SetAside, time.GetElapsedTime(each.StartedAt, each.EndedAt is 0 ? time.GetTimestamp() : each.EndedAt));
            _policy.Ended(route, time.GetElapsedTime(startedAt), isAnswered);
            _ = CancelAsync(loser, stopping);
        }
    }

    /// <returns>Null when none may be begun at present: there is no time left for it, the last one waits for its host, or no other host is as fast.</returns>
    private Run<T>? TryBegin<T>(Attempt last, Func<Attempt, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        if (last.Host is null || _policy.TryBegin(last.Plan.Index) is not { } setAside) return null;
        var (startedAt, attempt) = (time.GetTimestamp(), last.Hedge(time));
        var further = new Run<T>(attempt, run(attempt, cancellationToken), setAside, startedAt);
        // Its error is observed as well: if no other code waits for it, it tells nothing new.
        _ = further.Task.ContinueWith(
            ended => (_, further.EndedAt) = (ended.Exception, time.GetTimestamp()), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        // It was over at once where no other host could serve.
        if (further.Task.IsFaulted && attempt.Host is null)
        {
            _policy.SecondEnded(last.Plan.Index, setAside, TimeSpan.Zero);
            return null;
        }

        counters.Count(RouterEvent.Hedge);
        return further;
    }

    /// <summary>A run that began before the winner is beaten, and one that began after it is no longer needed.</summary>
    private Task StopAsync<T>(List<Run<T>> runs, Run<T> winner)
    {
        var place = runs.IndexOf(winner);
        return Task.WhenAll(runs.Index().Where(each => each.Index != place).Select(each => StopAsync(each.Item, runs[1].SetAside, isBeaten: each.Index < place)));
    }

    /// <summary>What has not answered by now has lost, and stops. But where reads are short, most that were slow by chance end by themselves sooner than they can be stopped.</summary>
    private async Task StopAsync<T>(Run<T> slower, TimeSpan usual, bool isBeaten)
    {
        slower.Task.Forget();
        if (usual < CancelCost && await slower.Task.EndsWithinAsync(usual, time, CancellationToken.None).ConfigureAwait(false)) return;
        if (isBeaten) slower.Attempt.IsBeaten = true;
        else slower.Attempt.IsStopped = true;
    }

    private static async Task CancelAsync(CancellationTokenSource loser, Task stopping)
    {
        await stopping.ConfigureAwait(false);
        await loser.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        loser.Dispose();
    }

    /// <summary>Whether what is under way takes longer than most do, and the longer where no further run could be begun before.</summary>
    private async Task<bool> IsSlowAsync(Task ended, int route, long startedAt, CancellationToken cancellationToken)
    {
        while (!ended.IsCompleted && _policy.DelayOf(route) is { } usual)
        {
            var from = time.GetTimestamp();
            var pause = TimeSpan.Max(usual, time.GetElapsedTime(startedAt, from) / 2);
            await Task.WhenAny(ended, Task.Delay(pause, time, cancellationToken)).ConfigureAwait(false);
            if (cancellationToken.IsCancellationRequested) return false;
            // A wait that ends late has stood still meanwhile, usually with all of the process: the answer may well be here, and is about to be read.
            if (!ended.IsCompleted && time.GetElapsedTime(from) <= Late * pause) return true;
        }

        return false;
    }

    /// <summary>A further run may fail for want of a further replica; and what fails the first need not fail the others.</summary>
    private static async Task<Run<T>> FirstAnswerAsync<T>(List<Run<T>> runs)
    {
        List<Run<T>> left = [.. runs];
        while (left.Count > 0)
        {
            var ended = await Task.WhenAny(left.Select(each => each.Task)).ConfigureAwait(false);
            var run = left.Find(each => each.Task == ended)!;
            if (ended.IsCompletedSuccessfully) return run;
            left.Remove(run);
        }

        return runs[0];
    }

    /// <summary>One run, and the time of further runs that is set aside for it.</summary>
    private sealed record Run<T>(Attempt Attempt, Task<T> Task, TimeSpan SetAside = default, long StartedAt = 0)
    {
        /// <summary>0 while it goes on.</summary>
        public long EndedAt { get; set; }
    }
}
