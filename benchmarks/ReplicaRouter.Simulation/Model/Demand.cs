namespace ReplicaRouter.Simulation;

/// <summary>The cost of queries over time: the same for all hosts, callers and policies.</summary>
internal sealed class Demand(Workload workload, int seed)
{
    private readonly Random _shares = new(seed);
    private readonly Workload _workload = workload;
    private Workload? _now;
    private long _second = -1;

    /// <param name="time">The time in ticks; not before that of the last call.</param>
    public Workload At(long time)
    {
        // Draws every second, even one without callers; otherwise later seconds would depend on the callers.
        for (var second = time / TimeSpan.TicksPerSecond; _second < second; _second++) _now = _workload.Next(_shares);
        return _now ?? _workload;
    }
}
