namespace ReplicaRouter.Ejection;

/// <summary>What the host of an index has to do for us at this moment. Live counters, beside the snapshots of facts.</summary>
internal sealed class HostLoad(int host, OutlierEjection[] routes, TimeProvider time)
{
    /// <summary>Up to this, a probe takes as long as usual: a multiple, or in ms.</summary>
    private const double UsualRatio = 2;
    private const double UsualDifferenceMs = 0.5;

    private const double ProbeWeight = 0.1;

    /// <summary>For so long, in ms, and as long as the coarse clock stands still.</summary>
    private const long WarmMs = 2;

    private double _usualProbeMs;
    private int _opening;

    /// <summary>Called with the route of each command that is a sample of the host's speed, and what it took in ms.</summary>
    public Action<int, double>? Measured { get; init; }

    /// <summary>What judges the hosts of a route by their latency, all of them together.</summary>
    public OutlierEjection Ejection(int route) => routes[route];

    /// <summary>Average over all routes, for people; choices compare like with like, by route.</summary>
    public MovingAverage Latency { get; } = new();

    /// <summary>Commands under way.</summary>
    public WorkUnderWay Commands { get; } = new(time);

    /// <summary>Logins under way, and waits for a free connection of a full pool.</summary>
    public WorkUnderWay Logins { get; } = new(time);

    /// <summary>The present moment, by the coarse clock.</summary>
    public long Now => time.Coarse();

    /// <summary>Whether it has just done something for us, so that one of our connections is warm. The moment is that of <see cref="Now"/>.</summary>
    public bool IsWarm(long now) => now - Commands.EndedAt < WarmMs;

    /// <summary>Commands under way, and connections that are being opened: what is about to become commands.</summary>
    public int InFlight => Commands.Count + Volatile.Read(ref _opening);

    /// <summary>Counts a connection that is being opened.</summary>
    public void BeginOpening() => Interlocked.Increment(ref _opening);

    public void EndOpening() => Interlocked.Decrement(ref _opening);

    /// <summary>How long a route's commands typically take, in ms; 0 as long as there are too few for hosts to be compared by it.</summary>
    public double TypicalMs(int route) => routes[route].TypicalMs(host);

    /// <summary>Whether the last command of a route was slow: no reason to leave the host out, but none to rely on it.</summary>
    public bool WasSlow(int route) => routes[route].WasSlow(host);

    /// <summary>Whether it has had nothing done for longer than a limit although commands are under way: each of them has taken that long already.</summary>
    public bool IsSilent(double limitMs) => Commands.IsStalled(TimeSpan.FromMilliseconds(limitMs));

    /// <summary>Whether the last command ended in an error: that it is done with its work so soon is no reason to give it more.</summary>
    public bool HasFailed => Volatile.Read(ref _hasFailed);
    private bool _hasFailed;

    /// <summary>Notes a command that ended in an error. How fast it did so tells nothing; that it took longer than usual counts.</summary>
    public void RecordFailure(int route, double milliseconds)
    {
        Volatile.Write(ref _hasFailed, true);
        RecordSlow(route, milliseconds);
    }

    /// <param name="route">The route.</param>
    /// <param name="milliseconds">What it took.</param>
    /// <param name="isStopped">Whether it was stopped then, as it was not needed any more: it would have taken longer, and tells nothing unless it already had.</param>
    /// <param name="isBeaten">Whether it was stopped then, as another host had done the same work in less.</param>
    public void RecordCommand(int route, double milliseconds, bool isStopped = false, bool isBeaten = false)
    {
        if (_hasFailed && !isStopped) Volatile.Write(ref _hasFailed, false);
        if (isStopped) RecordSlow(route, milliseconds);
        else Record(route, milliseconds, isBeaten);
    }

    /// <summary>Notes what a command took at least, if that is longer than usual.</summary>
    private void RecordSlow(int route, double milliseconds)
    {
        if (TypicalMs(route) is not 0 and var usual && milliseconds >= usual) Record(route, milliseconds);
    }

    private void Record(int route, double milliseconds, bool isBeaten = false)
    {
        routes[route].Record(host, milliseconds, isBeaten);
        Latency.Record(milliseconds);
        Measured?.Invoke(route, milliseconds);
    }

    /// <summary>A probe of a slow host usually takes longer as well: it tells when that is over.</summary>
    public void RecordProbe(double milliseconds)
    {
        var usual = _usualProbeMs == 0 ? milliseconds : _usualProbeMs;
        var isUsual = milliseconds <= Math.Max(UsualRatio * usual, usual + UsualDifferenceMs);
        // The first one of a connection includes its login; and while the host is left out, what is unusual must not become usual.
        if (milliseconds < usual) _usualProbeMs = milliseconds;
        else if (isUsual || !routes.Any(route => (route.Ejected >> host & 1) != 0)) _usualProbeMs = usual + (ProbeWeight * (milliseconds - usual));
        foreach (var route in routes) route.OnProbed(host, isUsual);
    }

    /// <summary>Forgets how long commands took on a host that was out: those that it held up would keep it out for as long again.</summary>
    public void ForgetLatency()
    {
        Latency.Reset();
        foreach (var route in routes) route.Forget(host);
    }
}

/// <summary>Things of one kind that a host is to do, and when it last got one done.</summary>
internal sealed class WorkUnderWay(TimeProvider time)
{
    private int _count;
    private long _progressAt;
    private long _endedAt = long.MinValue / 2;

    public int Count => Math.Max(0, Volatile.Read(ref _count));

    /// <summary>When one of them last ended, or began where there was none.</summary>
    public long ProgressAt => Volatile.Read(ref _progressAt);

    /// <summary>When one of them last ended, by the coarse clock.</summary>
    public long EndedAt => Volatile.Read(ref _endedAt);

    public void Begin()
    {
        if (Interlocked.Increment(ref _count) == 1) Volatile.Write(ref _progressAt, time.GetTimestamp());
    }

    public void End()
    {
        Interlocked.Decrement(ref _count);
        Volatile.Write(ref _progressAt, time.GetTimestamp());
        Volatile.Write(ref _endedAt, time.Coarse());
    }

    /// <summary>Starts from nothing.</summary>
    public void Forget() => Interlocked.Exchange(ref _count, 0);

    /// <summary>Whether there is work, and for some time none of it got done: it may be long, or the host silent.</summary>
    public bool IsStalled(TimeSpan limit) => Count > 0 && time.GetElapsedTime(Volatile.Read(ref _progressAt)) > limit;
}
