namespace ReplicaRouter;

/// <summary>One operation on its way to a host: what it asks for, whom it has tried, and how much time it has left.</summary>
internal sealed class Attempt
{
    private readonly RouteOptions _options;
    private readonly long _maxLag;
    private readonly long _startedAt;
    private ulong _excluded;
    private Exception? _lastFailure;

    public Attempt(RoutePlan plan, in RouteOptions options, TimeProvider time)
    {
        if (options.MaxLag <= TimeSpan.Zero) throw new ArgumentOutOfRangeException(nameof(options), options.MaxLag, "MaxLag must be above zero.");
        if (options.Deadline <= TimeSpan.Zero) throw new ArgumentOutOfRangeException(nameof(options), options.Deadline, "Deadline must be above zero.");
        Plan = plan;
        _options = options;
        _maxLag = time.Ticks(options.MaxLag ?? plan.MaxLag);
        _startedAt = time.GetTimestamp();
    }

    public RoutePlan Plan { get; }

    /// <summary>Whether work that a host failed may be run again on another.</summary>
    public bool MayRetry => Plan.IsReadOnly && (_options.Retry ?? true);

    public RouteRequest Request(long now) => new(now, _maxLag, _options.Labels, _excluded);

    public void Exclude(HostConfiguration host, Exception failure)
    {
        _excluded |= host.Bit;
        _lastFailure = failure;
    }

    /// <summary>After waiting, a host that failed may have come back, and is better than none.</summary>
    public void ForgetExclusions() => _excluded = 0;

    /// <summary>Time left of the caller's deadline; null when there is none.</summary>
    public TimeSpan? Remaining(TimeProvider time) => _options.Deadline is { } deadline ? Left(deadline, time) : null;

    /// <summary>Time left to wait for a host.</summary>
    public TimeSpan RemainingWait(TimeProvider time) =>
        Left(_options.Deadline is { } deadline && deadline < Plan.Wait ? deadline : Plan.Wait, time);

    public NoEligibleHostException NoHost(TopologySnapshot topology, TimeProvider time) =>
        new(Plan.Name, Eligibility.Explain(topology, Plan, Request(time.GetTimestamp()), time), _lastFailure);

    private TimeSpan Left(TimeSpan limit, TimeProvider time)
    {
        var left = limit - time.GetElapsedTime(_startedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
