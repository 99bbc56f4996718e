namespace ReplicaRouter;

/// <summary>What a host has to do for us at this moment. Live counters, beside the snapshots of facts.</summary>
internal sealed class HostLoad
{
    private int _inUse;
    private int _executing;

    /// <summary>Average over all routes, for people; choices compare like with like, by route.</summary>
    public MovingAverage Latency { get; } = new();

    /// <summary>Connections in use. Where callers opened them from a data source that they hold, commands under way stand for them.</summary>
    public int InUse => Math.Max(Volatile.Read(ref _inUse), Volatile.Read(ref _executing));

    public void AddInUse(int change) => Interlocked.Add(ref _inUse, change);

    public void AddExecuting(int change) => Interlocked.Add(ref _executing, change);
}
