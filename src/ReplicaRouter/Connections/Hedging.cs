using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>Gives a slow read a second run on another replica, if need be a third, and takes the first answer.</summary>
/// <remarks>Source: J. Dean, L. A. Barroso, "The Tail at Scale", Communications of the ACM 56(2), 2013.</remarks>
internal sealed class Hedging(ImmutableArray<RoutePlan> routes, RoutingCounters counters, TimeProvider time)
{
    /// <summary>About what it costs a server to be told that a run is to stop: a process, as for a login.</summary>
    private static readonly TimeSpan CancelCost = TimeSpan.FromMilliseconds(5);

    /// <summary>So many times a pause, and it was not the read that took so long.</summary>
    private const double Late = 2;

    private readonly HedgePolicy _policy = new(routes.Length);

    /// <param name="attempt">The read.</param>
    /// <param name="run">Runs it once.</param>
    /// <param name="cancellationToken">The caller's.</param>
    public async Task<T> RunAsync<T>(Attempt attempt, Func<Attempt, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        var (startedAt, route) = (time.GetTimestamp(), attempt.Plan.Index);
        var loser = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = run(attempt, loser.Token);
        var stopping = Task.CompletedTask;
        List<FurtherRun<T>> further = [];
        var isAnswered = false;
        try
        {
            Task<Task<T>>? answer = null;
            while (further.Count < HedgePolicy.MostFurtherRuns && await IsSlowAsync(answer ?? (Task)first, route, startedAt, loser.Token).ConfigureAwait(false))
            {
                var last = further.Count == 0 ? attempt : further[^1].Attempt;
                if (TryBegin(last, run, loser.Token) is not { } next) continue;
                further.Add(next);
                answer = FirstAnswerAsync(first, further);
            }

            var winner = answer is null ? first : await answer.ConfigureAwait(false);
            if (winner != first) counters.Count(RouterEvent.HedgeWon);
            if (answer is not null) stopping = StopAsync(attempt, first, further, winner);
            var result = await winner.ConfigureAwait(false);
            isAnswered = true;
            return result;
        }
        finally
        {
            foreach (var each in further) _policy.SecondEnded(route, each.SetAside, each.Took);
            _policy.Ended(route, time.GetElapsedTime(startedAt), isAnswered);
            _ = CancelAsync(loser, stopping);
        }
    }

    /// <summary>How long a read is waited for before it is given another run: longer than most take, and the longer where none could be begun before.</summary>
    private TimeSpan? PauseOf(int route, long startedAt) => _policy.DelayOf(route) is { } usual ? TimeSpan.Max(usual, time.GetElapsedTime(startedAt) / 2) : null;

    /// <returns>Null when none may be begun at present: there is no time left for it, the last one waits for its host, or no other host is as fast.</returns>
    private FurtherRun<T>? TryBegin<T>(Attempt last, Func<Attempt, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        if (last.Host is null || _policy.TryBegin(last.Plan.Index) is not { } setAside) return null;
        var further = new FurtherRun<T>(last.Hedge(time), setAside, time, run, cancellationToken);
        if (further.FoundNoHost)
        {
            _policy.SecondEnded(last.Plan.Index, setAside, TimeSpan.Zero);
            return null;
        }

        counters.Count(RouterEvent.Hedge);
        return further;
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
    private async Task<bool> IsSlowAsync(Task ended, int route, long startedAt, CancellationToken cancellationToken)
    {
        while (!ended.IsCompleted && PauseOf(route, startedAt) is { } pause)
        {
            var from = time.GetTimestamp();
            await Task.WhenAny(ended, Task.Delay(pause, time, cancellationToken)).ConfigureAwait(false);
            if (cancellationToken.IsCancellationRequested) return false;
            // Whoever wakes up late has stood still meanwhile, mostly with all of the process: the answer may well be here, and is about to be read.
            if (!ended.IsCompleted && time.GetElapsedTime(from) <= Late * pause) return true;
        }

        return false;
    }

    /// <summary>A further run may fail for want of a further replica; and what fails the first need not fail the others.</summary>
    private static async Task<Task<T>> FirstAnswerAsync<T>(Task<T> first, List<FurtherRun<T>> further)
    {
        List<Task<T>> runs = [first, .. further.Select(each => each.Task)];
        while (runs.Count > 0)
        {
            var ended = await Task.WhenAny(runs).ConfigureAwait(false);
            if (ended.IsCompletedSuccessfully) return ended;
            runs.Remove(ended);
        }

        return first;
    }

    private sealed class FurtherRun<T>
    {
        private readonly TimeProvider _time;
        private readonly long _startedAt;
        private long _endedAt;

        public FurtherRun(Attempt attempt, TimeSpan setAside, TimeProvider time, Func<Attempt, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
        {
            (Attempt, SetAside, _time, _startedAt) = (attempt, setAside, time, time.GetTimestamp());
            Task = RunAsync(run, cancellationToken);
            // If nobody else waits for it, its error tells nothing new.
            Task.Forget();
        }

        public Attempt Attempt { get; }

        public TimeSpan SetAside { get; }

        public Task<T> Task { get; }

        /// <summary>What it took, or has taken so far.</summary>
        public TimeSpan Took => _time.GetElapsedTime(_startedAt, Volatile.Read(ref _endedAt) is not 0 and var endedAt ? endedAt : _time.GetTimestamp());

        /// <summary>Whether it was over at once, as no other host could serve.</summary>
        public bool FoundNoHost => Task.IsFaulted && Attempt.Host is null;

        private async Task<T> RunAsync(Func<Attempt, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
        {
            try
            {
                return await run(Attempt, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                Volatile.Write(ref _endedAt, _time.GetTimestamp());
            }
        }
    }
}
