namespace ReplicaRouter;

/// <summary>One operation on its way to a host: what it asks for, whom it has tried, and how much time it has left.</summary>
internal sealed class Attempt
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMilliseconds(400);

    private readonly RouteOptions _options;
    private readonly long _startedAt;
    private ulong _excluded;
    private Exception? _lastFailure;
    private long _lastFailureAt;
    private TimeSpan _backoff;

    public Attempt(RoutePlan plan, in RouteOptions options, TimeProvider time)
    {
        if (options.MaxLag <= TimeSpan.Zero) throw new ArgumentOutOfRangeException(nameof(options), options.MaxLag, "MaxLag must be above zero.");
        if (options.Deadline <= TimeSpan.Zero) throw new ArgumentOutOfRangeException(nameof(options), options.Deadline, "Deadline must be above zero.");
        Plan = plan;
        _options = options;
        _startedAt = time.GetTimestamp();
    }

    public RoutePlan Plan { get; }

    /// <summary>Whether work that a host failed may be run again on another.</summary>
    public bool MayRetry => Plan.IsReadOnly && (_options.Retry ?? true);

    public RouteRequest Request(TimeProvider time) => RouteRequest.For(Plan, _options, time) with { Excluded = _excluded };

    public void Exclude(HostConfiguration host, Exception failure, long failedAt)
    {
        _excluded |= host.Bit;
        (_lastFailure, _lastFailureAt) = (failure, failedAt);
    }

    /// <summary>Lets hosts be tried again that have answered a probe since they failed this operation.</summary>
    /// <returns>Whether there are any.</returns>
    public bool ForgiveAnswered(TopologySnapshot topology)
    {
        var before = _excluded;
        foreach (var host in topology.Hosts)
        {
            if (host.LastAnswered is { } answered && answered.SentAt >= _lastFailureAt) _excluded &= ~host.Configuration.Bit;
        }

        return _excluded != before;
    }

    /// <summary>Time before a host is tried again: doubled each time, at random up to its full length.</summary>
    public TimeSpan NextBackoff(Random random)
    {
        _backoff = _backoff == TimeSpan.Zero ? FirstBackoff : _backoff < LongestBackoff ? 2 * _backoff : LongestBackoff;
        return _backoff * random.NextDouble();
    }

    /// <exception cref="TimeoutException">The caller's deadline has passed.</exception>
    public void ThrowIfExpired(TimeProvider time)
    {
        if (Remaining(time) == TimeSpan.Zero) throw Expired(_lastFailure);
    }

    /// <summary>Whether the caller's deadline has ended the operation.</summary>
    public bool HasExpired { get; private set; }

    public TimeoutException Expired(Exception? cause)
    {
        HasExpired = true;
        return new($"The '{Plan.Name}' operation did not end within its deadline of {_options.Deadline?.TotalMilliseconds:0} ms.", cause);
    }

    /// <summary>Time left of the caller's deadline; null when there is none.</summary>
    public TimeSpan? Remaining(TimeProvider time) => _options.Deadline is { } deadline ? Left(deadline, time) : null;

    /// <summary>Time left to wait for a host.</summary>
    public TimeSpan RemainingWait(TimeProvider time) =>
        Left(_options.Deadline is { } deadline && deadline < Plan.Wait ? deadline : Plan.Wait, time);

    public NoEligibleHostException NoHost(TopologySnapshot topology, TimeProvider time) =>
        Eligibility.NoHost(topology, Plan, Request(time), time, _lastFailure);

    private TimeSpan Left(TimeSpan limit, TimeProvider time)
    {
        var left = limit - time.GetElapsedTime(_startedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
