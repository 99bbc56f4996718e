namespace ReplicaRouter.Ejection;

/// <summary>This process's current load on one host, given by its index. Live counters, beside the immutable snapshots.</summary>
internal sealed class HostLoad(int host, OutlierEjection[] routes, TimeProvider time)
{
    /// <summary>A probe is as fast as usual up to this multiple of its usual time, or this many ms more.</summary>
    private const double UsualRatio = 2;
    private const double UsualDifferenceMs = 0.5;

    private const double ProbeWeight = 0.1;

    /// <summary>How long a connection stays warm after a command, in ms of the coarse clock; a tick of that clock can be longer.</summary>
    private const long WarmMs = 2;

    private double _usualProbeMs;
    private int _opening;

    /// <summary>Called with the route and the duration in ms of each command that is a latency sample.</summary>
    public Action<int, double>? Measured { get; init; }

    public OutlierEjection Ejection(int route) => routes[route];

    /// <summary>Average over all routes, to display and to tell silence by. Selection compares hosts by route.</summary>
    public MovingAverage Latency { get; } = new();

    public WorkInFlight Commands { get; } = new(time);

    /// <summary>Logins in progress. Waits for a connection of an exhausted pool do not count.</summary>
    public WorkInFlight Logins { get; } = new(time);

    /// <summary>The current time, by the coarse clock.</summary>
    public long Now => time.Coarse();

    /// <summary>Whether a command has just ended there, so that a connection is warm. <paramref name="now"/>: the value of <see cref="Now"/>.</summary>
    public bool IsWarm(long now) => now - Commands.EndedAt < WarmMs;

    /// <summary>Commands in flight, and connections being opened, which are about to become commands.</summary>
    public int InFlight => Commands.Count + Volatile.Read(ref _opening);

    public void BeginOpening() => Interlocked.Increment(ref _opening);

    public void EndOpening() => Interlocked.Decrement(ref _opening);

    /// <summary>Whether the last command failed. Fast failures must not attract more work.</summary>
    public bool HasFailed => Volatile.Read(ref _hasFailed);
    private bool _hasFailed;

    /// <summary>Records a failed command. Its duration counts only if it was slower than usual.</summary>
    public void RecordFailure(int route, double milliseconds)
    {
        Volatile.Write(ref _hasFailed, true);
        RecordSlow(route, milliseconds);
    }

    /// <param name="route">The route.</param>
    /// <param name="milliseconds">Its duration.</param>
    /// <param name="isStopped">Whether it was stopped because it was no longer needed. It would have taken longer, so its duration counts only if it was already slow.</param>
    /// <param name="isBeaten">Whether it was stopped because another host did the same work faster.</param>
    public void RecordCommand(int route, double milliseconds, bool isStopped = false, bool isBeaten = false)
    {
        if (_hasFailed && !isStopped) Volatile.Write(ref _hasFailed, false);
        if (isStopped) RecordSlow(route, milliseconds);
        else Record(route, milliseconds, isBeaten);
    }

    /// <summary>Records a lower bound of a command's duration, if that is longer than usual.</summary>
    private void RecordSlow(int route, double milliseconds)
    {
        if (routes[route].TypicalMs(host) is not 0 and var usual && milliseconds >= usual) Record(route, milliseconds);
    }

    private void Record(int route, double milliseconds, bool isBeaten = false)
    {
        routes[route].Record(host, milliseconds, isBeaten);
        Latency.Record(milliseconds);
        Measured?.Invoke(route, milliseconds);
    }

    /// <summary>Records a probe's duration. Probes of a slow host usually take longer, too, so they show when that ends.</summary>
    public void RecordProbe(double milliseconds)
    {
        var usual = _usualProbeMs == 0 ? milliseconds : _usualProbeMs;
        var isUsual = milliseconds <= Math.Max(UsualRatio * usual, usual + UsualDifferenceMs);
        // A connection's first probe includes its login. While the host is ejected, its slow probes must not become usual.
        if (milliseconds < usual) _usualProbeMs = milliseconds;
        else if (isUsual || !routes.Any(route => (route.Ejected >> host & 1) != 0)) _usualProbeMs = usual + (ProbeWeight * (milliseconds - usual));
        foreach (var route in routes) route.OnProbed(host, isUsual);
    }

    /// <summary>Forgets the latencies of a host that was out: commands that were delayed then would eject it again.</summary>
    public void ForgetLatency()
    {
        Latency.Reset();
        foreach (var route in routes) route.Forget(host);
    }
}

/// <summary>Counts a host's work of one kind in flight, and when some of it last ended.</summary>
internal sealed class WorkInFlight(TimeProvider time)
{
    private int _count;
    private long _progressAt;
    private long _endedAt = long.MinValue / 2;

    public int Count => Volatile.Read(ref _count);

    /// <summary>When an item last ended, or the first one began.</summary>
    public long ProgressAt => Volatile.Read(ref _progressAt);

    /// <summary>When an item last ended, by the coarse clock.</summary>
    public long EndedAt => Volatile.Read(ref _endedAt);

    public void Begin()
    {
        if (Interlocked.Increment(ref _count) == 1) Volatile.Write(ref _progressAt, time.GetTimestamp());
    }

    public void End()
    {
        // Forgotten work can still end.
        if (Interlocked.Decrement(ref _count) < 0) Interlocked.Increment(ref _count);
        Volatile.Write(ref _progressAt, time.GetTimestamp());
        Volatile.Write(ref _endedAt, time.Coarse());
    }

    public void Forget() => Interlocked.Exchange(ref _count, 0);

    /// <summary>Whether there is work but none of it has ended for longer than a limit: it may be long, or the host silent.</summary>
    public bool IsStalled(TimeSpan limit) => Count > 0 && time.GetElapsedTime(Volatile.Read(ref _progressAt)) > limit;
}
