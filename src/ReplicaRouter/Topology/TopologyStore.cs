namespace ReplicaRouter.Topology;

/// <summary>Holds the current snapshot. One field is swapped; nobody edits in place.</summary>
internal sealed class TopologyStore(TopologySnapshot initial, TimeProvider time)
{
    private volatile TopologySnapshot _current = initial;
    private volatile bool _isClosed;

    public TopologySnapshot Current => _current;

    /// <summary>A host as it is configured now; as it was, when it was removed.</summary>
    public HostConfiguration Present(HostConfiguration host) => _current.Find(host)?.Configuration ?? host;

    /// <summary>Raised after each swap with the snapshot before and the one after, on the thread that published.</summary>
    public event Action<TopologySnapshot, TopologySnapshot>? Changed;

    /// <summary>Waits for some time until something is known that was not known when a snapshot was made, or until another task ends, and says whether that is so.</summary>
    /// <exception cref="ObjectDisposedException">Nothing more will be known: the router was disposed of.</exception>
    public async Task<bool> NewerAsync(TopologySnapshot than, TimeSpan limit, CancellationToken cancellationToken, Task? or = null)
    {
        DisposedRouter.ThrowIf(_isClosed);
        var change = or is null ? than.Superseded : Task.WhenAny(than.Superseded, or);
        var isNewer = limit > TimeSpan.Zero && await change.EndsWithinAsync(TimeSpan.Min(limit, TimeSpan.LongestWait), time, cancellationToken).ConfigureAwait(false);
        if (!isNewer) cancellationToken.ThrowIfCancellationRequested();
        DisposedRouter.ThrowIf(_isClosed);
        return isNewer;
    }

    /// <summary>Sends away those who wait.</summary>
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
            // Whatever a listener does, those who wait for a host must wake.
            before.MarkSuperseded();
        }

        return after;
    }
}
