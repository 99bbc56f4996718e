namespace ReplicaRouter.Sessions;

/// <summary>Waits for one standby to replay positions, on behalf of all operations that need one of them.</summary>
/// <remarks>
/// While any operation waits, the standby's monitor probes it again and again: over one connection, one query at a time, however many wait. Each answer is published
/// like any probe's, and any published answer wakes the operations whose position it shows. A woken operation relies on the snapshot, not on the waiter.
/// </remarks>
internal sealed class ReplayWaiter(HostMonitor monitor, TopologyStore store, TimeProvider time)
{
    /// <summary>Pauses can delay an operation by up to this fraction of its wait (one in 16).</summary>
    private const int PausesPerWait = 16;

    /// <summary>If the pause would be shorter, the next query follows at once: timers have a resolution of milliseconds.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(1);

    /// <summary>Limits the pause however far away a position seems: replay can become faster at any time.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(10);

    /// <summary>What a query costs a standby. All routers of a fleet that wait at once keep at most one of its cores busy.</summary>
    private static readonly TimeSpan CostOfQuestion = TimeSpan.FromMilliseconds(0.1);

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Waiting, ulong> _waiting = new();
    private readonly ReplayPace _pace = new(time);
    private TaskCompletionSource _nearer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isAsking;

    /// <summary>Waits until the standby is known to have replayed a position of the current timeline.</summary>
    /// <returns>Whether it has; false at once if the host does not answer, or is not a serving standby. Null if the limit expires.</returns>
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
            // The position may already be published.
            Wake(store.Current);
            if (waiting.Task.IsCompleted) return;
            if (ReferenceEquals(_waiting.Peek(), waiting)) _nearer.TrySetResult();
            if (_isAsking) return;
            _isAsking = true;
            store.Changed += OnChanged;
        }

        // Not in the context of the first operation: the loop serves all that come, for as long as any of them waits.
        ThreadPool.UnsafeQueueUserWorkItem(static waiter => _ = waiter.AskWhileAwaitedAsync(), this, preferLocal: false);
    }

    private async Task AskWhileAwaitedAsync()
    {
        while (true)
        {
            var before = LastAnsweredIn(store.Current);
            // Always yield: a host that answers synchronously would keep this thread for as long as any operation waits.
            await monitor.ProbeNowAsync().ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            if (PauseAfter(before) is not { } pause) return;
            if (pause >= LeastPause) await _nearer.Task.EndsWithinAsync(pause, time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private void OnChanged(TopologySnapshot _, TopologySnapshot after)
    {
        lock (_lock) Wake(after);
    }

    /// <summary>Wakes operations after a query, and decides when the next one follows.</summary>
    /// <param name="before">The host's last answer before the query.</param>
    /// <returns>The pause before the next query; null if no operation waits any more.</returns>
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

    /// <summary>Returns half of the estimated time to the nearest position, or a small part of the time waited for it so far, whichever is longer, within limits.</summary>
    private TimeSpan PauseFor(Waiting nearest, ulong lsn, int probers)
    {
        var now = time.GetTimestamp();
        var pause = TimeSpan.Max(_pace.TimeUntil(lsn, now) / 2, time.GetElapsedTime(nearest.Since, now) / PausesPerWait);
        return TimeSpan.Min(TimeSpan.Max(pause, CostOfQuestion * probers), LongestPause);
    }

    /// <summary>Wakes the operations whose positions a snapshot shows as replayed, or all if the host was lost, removed or promoted.</summary>
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

    /// <summary>One operation's wait, and the timestamp at which it began.</summary>
    private sealed class Waiting(long since) : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public long Since => since;
    }
}
