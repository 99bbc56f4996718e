namespace ReplicaRouter.Sessions;

/// <summary>Waits at one standby for positions to be replayed, for all operations that wait there.</summary>
/// <remarks>
/// While an operation waits, the standby is asked again and again by its monitor: over one connection and one question at a time, however many wait. Each answer is published like any
/// probe's, and whatever is published wakes the operations whose position it shows. What a woken operation reads by is the snapshot, not the waiter's word.
/// </remarks>
internal sealed class ReplayWaiter(HostMonitor monitor, TopologyStore store, TimeProvider time)
{
    /// <summary>An operation may learn that its position is reached later than it could by this part of its wait.</summary>
    private const int PausesPerWait = 16;

    /// <summary>Where there is less to pause, the next question follows at once: timers know milliseconds.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(1);

    /// <summary>However far away a position seems: replay may become faster at any time.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(10);

    /// <summary>What a question costs a standby. All routers of a fleet that wait at once keep one of its cores busy, at most.</summary>
    private static readonly TimeSpan CostOfQuestion = TimeSpan.FromMilliseconds(0.1);

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Waiting, ulong> _waiting = new();
    private readonly ReplayPace _pace = new(time);
    private TaskCompletionSource _nearer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isAsking;

    /// <summary>Waits until the standby is known to have replayed a position of the present timeline.</summary>
    /// <returns>Whether it has; false at once when the host does not answer, or is no standby that serves. Null when time is up.</returns>
    public async Task<bool?> WaitAsync(ulong lsn, TimeSpan limit, CancellationToken cancellationToken)
    {
        var waiting = new Waiting(time.GetTimestamp());
        Add(waiting, lsn);
        try
        {
            await waiting.Task.EndsWithinAsync(limit, time, cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            return waiting.Task.IsCompleted ? await waiting.Task.ConfigureAwait(false) : null;
        }
        finally
        {
            lock (_lock)
            {
                if (!waiting.Task.IsCompleted) _waiting.Remove(waiting, out _, out _);
            }
        }
    }

    private void Add(Waiting waiting, ulong lsn)
    {
        lock (_lock)
        {
            _waiting.Enqueue(waiting, lsn);
            // What was published before it waited.
            Wake(store.Current);
            if (waiting.Task.IsCompleted) return;
            if (ReferenceEquals(_waiting.Peek(), waiting)) _nearer.TrySetResult();
            if (_isAsking) return;
            _isAsking = true;
            store.Changed += OnChanged;
        }

        // Not in the context of the operation that happens to be the first: it asks for all that come, for as long as any does.
        ThreadPool.UnsafeQueueUserWorkItem(static waiter => _ = waiter.AskWhileAwaitedAsync(), this, preferLocal: false);
    }

    private async Task AskWhileAwaitedAsync()
    {
        while (true)
        {
            var before = LastAnsweredIn(store.Current);
            // Never at once: a host whose answer is there already would keep this thread for as long as any operation waits.
            await monitor.AskAsync().ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            if (PauseAfter(before) is not { } pause) return;
            if (pause >= LeastPause) await _nearer.Task.EndsWithinAsync(pause, time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private void OnChanged(TopologySnapshot _, TopologySnapshot after)
    {
        lock (_lock) Wake(after);
    }

    /// <summary>What to do once a question has ended.</summary>
    /// <param name="before">The host's last answer when it was asked.</param>
    /// <returns>How long to pause before the next question; null when no operation waits any more.</returns>
    private TimeSpan? PauseAfter(HostObservation? before)
    {
        lock (_lock)
        {
            var topology = store.Current;
            Wake(topology);
            if (LastAnsweredIn(topology) is not { } answered || ReferenceEquals(answered, before)) Wake(ulong.MaxValue, isReached: false);
            else _pace.Record(answered.Answer!.ReplayLsn ?? 0, answered.SentAt);
            if (_waiting.TryPeek(out var nearest, out var lsn))
            {
                var pause = PauseFor(nearest, lsn, topology.Probers);
                if (pause >= LeastPause) _nearer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return pause;
            }

            _isAsking = false;
            store.Changed -= OnChanged;
            _pace.Interrupt();
            return null;
        }
    }

    /// <summary>Half of the time until the nearest position will be reached, as it seems, and a small part of the time that it has been waited for.</summary>
    private TimeSpan PauseFor(Waiting nearest, ulong lsn, int probers)
    {
        var now = time.GetTimestamp();
        var pause = TimeSpan.Max(_pace.TimeUntil(lsn, now) / 2, time.GetElapsedTime(nearest.Since, now) / PausesPerWait);
        return TimeSpan.Min(TimeSpan.Max(pause, CostOfQuestion * probers), LongestPause);
    }

    /// <summary>Wakes the operations whose positions a snapshot shows as replayed, and all when the host has been lost, removed or promoted.</summary>
    private void Wake(TopologySnapshot topology)
    {
        if (topology.Find(monitor.Host) is { IsServing: true, Role: HostRole.Replica } standby) Wake(topology.ReplayedBy(standby), isReached: true);
        else Wake(ulong.MaxValue, isReached: false);
    }

    private void Wake(ulong upTo, bool isReached)
    {
        while (_waiting.TryPeek(out _, out var lsn) && lsn <= upTo) _waiting.Dequeue().TrySetResult(isReached);
    }

    private HostObservation? LastAnsweredIn(TopologySnapshot topology) => topology.Find(monitor.Host)?.LastAnswered;

    /// <summary>One operation's wait, since a moment.</summary>
    private sealed class Waiting(long since) : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public long Since => since;
    }
}
