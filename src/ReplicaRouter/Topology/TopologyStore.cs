namespace ReplicaRouter.Topology;

/// <summary>Holds the current snapshot, which is swapped as a whole and never edited in place.</summary>
internal sealed class TopologyStore(TopologySnapshot initial, TimeProvider time)
{
    private volatile TopologySnapshot _current = initial;
    private volatile bool _isClosed;

    public TopologySnapshot Current => _current;

    /// <summary>Returns a host's current configuration, or the given one if the host was removed.</summary>
    public HostConfiguration Present(HostConfiguration host) => _current.Find(host)?.Configuration ?? host;

    /// <summary>Raised after each swap, with the old and the new snapshot, on the publishing thread.</summary>
    public event Action<TopologySnapshot, TopologySnapshot>? Changed;

    /// <summary>Waits until a newer snapshot exists or another task ends. Returns false if neither happens within a limit.</summary>
    /// <exception cref="ObjectDisposedException">The router was disposed of, so no newer snapshot will come.</exception>
    public async Task<bool> NewerAsync(TopologySnapshot than, TimeSpan limit, CancellationToken cancellationToken, Task? or = null)
    {
        DisposedRouter.ThrowIf(_isClosed);
        var change = or is null ? than.Superseded : Task.WhenAny(than.Superseded, or);
        var isNewer = limit > TimeSpan.Zero && await change.EndsWithinAsync(TimeSpan.Min(limit, TimeSpan.LongestWait), time, cancellationToken).ConfigureAwait(false);
        if (!isNewer) cancellationToken.ThrowIfCancellationRequested();
        DisposedRouter.ThrowIf(_isClosed);
        return isNewer;
    }

    /// <summary>Ends all waits with an <see cref="ObjectDisposedException"/>.</summary>
    public void Close()
    {
        _isClosed = true;
        Update(current => current.WithForcedToPrimary(current.ForcedToPrimaryUntil, time));
    }

    public TopologySnapshot Publish(HostObservation observation) => Update(current => current.With(observation, time));

    public TopologySnapshot Update(Func<TopologySnapshot, TopologySnapshot> change)
    {
        TopologySnapshot before, after;
        do
        {
            before = _current;
            after = change(before);
            if (ReferenceEquals(after, before)) return before;
        }
        // Monitors of several hosts publish at once; retrying on a lost race keeps every observation.
        while (!ReferenceEquals(Interlocked.CompareExchange(ref _current, after, before), before));

        try
        {
            Changed?.Invoke(before, after);
        }
        finally
        {
            // Waiters must wake even if a listener throws.
            before.MarkSuperseded();
        }

        return after;
    }
}
