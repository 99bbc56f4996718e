using System.Collections.Immutable;

namespace ReplicaRouter.Execution;

/// <summary>Hedges slow reads: runs one on a second replica, if needed on a third, and takes the first answer.</summary>
/// <remarks>Source: J. Dean, L. A. Barroso, "The Tail at Scale", Communications of the ACM 56(2), 2013.</remarks>
internal sealed class Hedging(ImmutableArray<RoutePlan> routes, RoutingCounters counters, TimeProvider time)
{
    /// <summary>Approximate cost of a cancel request to the server: a new process, as for a login.</summary>
    private static readonly TimeSpan CancelCost = TimeSpan.FromMilliseconds(5);

    /// <summary>If a pause takes more than this multiple of its length, the process was stalled, and the read is not known to be slow.</summary>
    private const double Late = 2;

    private readonly ImmutableArray<HedgePolicy> _policies = [.. routes.Select(_ => new HedgePolicy())];

    public async Task<T> RunAsync<T>(Attempt attempt, Func<Attempt, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        var (startedAt, policy) = (time.GetTimestamp(), _policies[attempt.Plan.Index]);
        var loser = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = new Run<T>(attempt, run(attempt, loser.Token));
        List<Run<T>> runs = [first];
        var stopping = Task.CompletedTask;
        var isAnswered = false;
        try
        {
            Task<Run<T>>? answer = null;
            while (runs.Count <= HedgePolicy.MaxHedges && await IsSlowAsync(answer ?? (Task)first.Task, policy, startedAt, loser.Token).ConfigureAwait(false))
            {
                if (TryBegin(policy, runs[^1].Attempt, run, loser.Token) is not { } next) continue;
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
            foreach (var each in runs.Skip(1)) policy.HedgeEnded(each.SetAside, time.GetElapsedTime(each.StartedAt, each.EndedAt is 0 ? time.GetTimestamp() : each.EndedAt));
            policy.Ended(time.GetElapsedTime(startedAt), isAnswered);
            _ = CancelAsync(loser, stopping);
        }
    }

    /// <returns>Null if none can start now: the budget is spent, the last attempt has no host yet, or no other host is fast enough.</returns>
    private Run<T>? TryBegin<T>(HedgePolicy policy, Attempt last, Func<Attempt, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        if (last.Host is null || policy.TryBegin() is not { } setAside) return null;
        var (startedAt, attempt) = (time.GetTimestamp(), last.Hedge(time));
        var further = new Run<T>(attempt, run(attempt, cancellationToken), setAside, startedAt);
        // Also observes its exception, which is nothing new if no other code awaits it.
        _ = further.Task.ContinueWith(
            ended => (_, further.EndedAt) = (ended.Exception, time.GetTimestamp()), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        // It ends at once if no other host can serve.
        if (further.Task.IsFaulted && attempt.Host is null)
        {
            policy.HedgeEnded(setAside, TimeSpan.Zero);
            return null;
        }

        counters.Count(RouterEvent.Hedge);
        return further;
    }

    /// <summary>Stops the losers: attempts that began before the winner are beaten, those that began after it are no longer needed.</summary>
    private Task StopAsync<T>(List<Run<T>> runs, Run<T> winner)
    {
        var place = runs.IndexOf(winner);
        return Task.WhenAll(runs.Index().Where(each => each.Index != place).Select(each => StopAsync(each.Item, runs[1].SetAside, isBeaten: each.Index < place)));
    }

    /// <summary>Marks a loser as beaten or stopped, to be cancelled. If reads are short, waits for it first: most slow ones end sooner than they can be cancelled.</summary>
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

    /// <summary>Whether the attempts in flight are slower than most reads. The wait grows if no hedged attempt could start before.</summary>
    private async Task<bool> IsSlowAsync(Task ended, HedgePolicy policy, long startedAt, CancellationToken cancellationToken)
    {
        while (!ended.IsCompleted && policy.Delay is { } usual)
        {
            var from = time.GetTimestamp();
            var pause = TimeSpan.Max(usual, time.GetElapsedTime(startedAt, from) / 2);
            await Task.WhenAny(ended, Task.Delay(pause, time, cancellationToken)).ConfigureAwait(false);
            if (cancellationToken.IsCancellationRequested) return false;
            // If the pause ended late, the whole process was probably stalled, and the answer may have arrived but not been read yet.
            if (!ended.IsCompleted && time.GetElapsedTime(from) <= Late * pause) return true;
        }

        return false;
    }

    /// <summary>Returns the first attempt that succeeds; the first one if all fail. A hedged attempt can fail for lack of a replica, or succeed where the first fails.</summary>
    private static async Task<Run<T>> FirstAnswerAsync<T>(List<Run<T>> runs)
    {
        Run<T>[] all = [.. runs];
        await foreach (var ended in Task.WhenEach(all.Select(each => each.Task)).ConfigureAwait(false))
        {
            if (ended.IsCompletedSuccessfully) return all.First(each => each.Task == ended);
        }

        return all[0];
    }

    /// <summary>One attempt, and the time reserved for it in the budget.</summary>
    private sealed record Run<T>(Attempt Attempt, Task<T> Task, TimeSpan SetAside = default, long StartedAt = 0)
    {
        /// <summary>0 while it is in flight.</summary>
        public long EndedAt { get; set; }
    }
}
