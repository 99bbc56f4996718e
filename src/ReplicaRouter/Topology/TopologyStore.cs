namespace ReplicaRouter;

/// <summary>Holds the current snapshot. One field is swapped; nobody edits in place.</summary>
internal sealed class TopologyStore(TopologySnapshot initial, TimeProvider time)
{
    private volatile TopologySnapshot _current = initial;

    public TopologySnapshot Current => _current;

    /// <summary>Called after each swap with the snapshot before and the one after, on the thread that published.</summary>
    public Action<TopologySnapshot, TopologySnapshot>? Changed { get; set; }

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
