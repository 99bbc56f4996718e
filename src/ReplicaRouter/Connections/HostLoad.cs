namespace ReplicaRouter;

/// <summary>What a host has to do for us at this moment. Live counters, beside the snapshots of facts.</summary>
internal sealed class HostLoad(TimeProvider time, int routes)
{
    private readonly MovingAverage[] _latencies = [.. Enumerable.Range(0, routes).Select(_ => new MovingAverage())];
    private int _opening;

    /// <summary>Average over all routes, for people; choices compare like with like, by route.</summary>
    public MovingAverage Latency { get; } = new();

    /// <summary>Commands under way.</summary>
    public WorkUnderWay Commands { get; } = new(time);

    /// <summary>Logins under way, and waits for a free connection of a full pool.</summary>
    public WorkUnderWay Logins { get; } = new(time);

    /// <summary>Commands under way, and connections that are being opened: what is about to become commands.</summary>
    public int InFlight => Commands.Count + Volatile.Read(ref _opening);

    /// <summary>Counts connections that are being opened.</summary>
    public void AddOpening(int change) => Interlocked.Add(ref _opening, change);

    /// <summary>How long a route's commands take, in ms; 0 as long as there are too few for hosts to be compared by it.</summary>
    public double LatencyMs(int route) => _latencies[route].Comparable;

    public void RecordCommand(int route, double milliseconds)
    {
        _latencies[route].Record(milliseconds);
        Latency.Record(milliseconds);
    }

    public void RecordProbe(double milliseconds)
    {
        foreach (var latency in _latencies) latency.RecordProbe(milliseconds);
    }

    /// <summary>Forgets how long commands took on a host that was out: those that it held up would keep it out for as long again.</summary>
    public void ForgetLatency()
    {
        Latency.Reset();
        foreach (var latency in _latencies) latency.Reset();
    }
}

/// <summary>Things of one kind that a host is to do, and when it last got one done.</summary>
internal sealed class WorkUnderWay(TimeProvider time)
{
    private int _count;
    private long _progressAt;

    public int Count => Math.Max(0, Volatile.Read(ref _count));

    public void Begin()
    {
        if (Interlocked.Increment(ref _count) == 1) Volatile.Write(ref _progressAt, time.GetTimestamp());
    }

    public void End()
    {
        Interlocked.Decrement(ref _count);
        Volatile.Write(ref _progressAt, time.GetTimestamp());
    }

    /// <summary>Starts from nothing.</summary>
    public void Forget() => Interlocked.Exchange(ref _count, 0);

    /// <summary>Whether there is work, and for some time none of it got done: it may be long, or the host silent.</summary>
    public bool IsStalled(TimeSpan limit) => Count > 0 && time.GetElapsedTime(Volatile.Read(ref _progressAt)) > limit;
}
