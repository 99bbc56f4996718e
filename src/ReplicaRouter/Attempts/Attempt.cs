using System.Data;
using Npgsql;

namespace ReplicaRouter.Attempts;

/// <summary>One operation: what it needs, which hosts it has tried, and how much time it has left.</summary>
internal sealed class Attempt
{
    private static readonly TimeSpan s_timerResolution = TimeSpan.FromMilliseconds(20);

    private readonly OperationOptions _options;
    private HostWait? _wait;

    public Attempt(RoutePlan plan, OperationOptions? options, SessionState? session, TimeProvider time)
    {
        options ??= OperationOptions.None;
        if (options.MaxLag <= TimeSpan.Zero) throw new ArgumentOutOfRangeException(nameof(options), options.MaxLag, "MaxLag must be above zero.");
        if (options.Deadline <= TimeSpan.Zero) throw new ArgumentOutOfRangeException(nameof(options), options.Deadline, "Deadline must be above zero.");
        Plan = plan;
        _options = options.Deadline > TimeSpan.LongestWait ? options with { Deadline = TimeSpan.LongestWait } : options;
        StartedAt = time.GetTimestamp();
        // A write binds the session's later reads, whatever its own consistency.
        var isBound = !plan.IsReadOnly || (options.Consistency ?? plan.Consistency) is Consistency.Session or Consistency.Strong;
        Session = isBound ? session : null;
    }

    public RoutePlan Plan { get; }

    /// <summary>The session that the operation belongs to; null if its consistency needs none.</summary>
    public SessionState? Session { get; }

    public long StartedAt { get; }

    /// <summary>The isolation level of its transaction, if it is one.</summary>
    public IsolationLevel IsolationLevel => _options.IsolationLevel;

    /// <summary>Whether work that failed on a host may be retried on another.</summary>
    public bool MayRetry => _options.AllowRetry ?? true;

    public bool MayHedge => Plan.IsReadOnly && MayRetry && (_options.AllowHedging ?? Plan.Hedge);

    /// <summary>Whether it needs nothing beyond what its route specifies.</summary>
    public bool IsPlain => Session is null && Excluded == 0 && !IsHedge && _options is { MaxLag: null, Consistency: null } && _options.Labels.IsDefaultOrEmpty;

    /// <summary>The host that the operation was last sent to.</summary>
    public HostConfiguration? Host { get; set; }

    /// <summary>The hosts on which it has failed; null if none.</summary>
    public FailedHosts? Failed { get; private set; }

    /// <summary>Its waits for a host so far. Created on first use; most operations need none.</summary>
    public HostWait Wait => _wait ??= new HostWait();

    /// <summary>Its slot, or place in the queue, for reads that fall back to the primary.</summary>
    public PrimaryTicket? Ticket { get; set; }

    /// <summary>Whether the outcome of something that was sent is unknown.</summary>
    public bool IsOutcomeUnknown { get; set; }

    /// <summary>Whether a hedged attempt that started later finished first.</summary>
    public bool IsBeaten { get; set; }

    /// <summary>Whether it is a hedged attempt that was stopped because an earlier attempt has answered.</summary>
    public bool IsStopped { get; set; }

    /// <summary>Whether it is a hedged attempt, which never waits and never burdens the primary.</summary>
    public bool IsHedge { get; private init; }

    /// <summary>Whether the operation ended at the caller's deadline.</summary>
    public bool HasExpired { get; private set; }

    private ulong Excluded => Failed?.Excluded ?? 0;

    /// <summary>Creates a hedged attempt of the same work, for another host than this one's.</summary>
    public Attempt Hedge(TimeProvider time) => new(Plan, _options, Session, time) { IsHedge = true, Failed = new FailedHosts(Excluded | (Host?.Bit ?? 0)) };

    public RouteRequest Request(in ReadRequirement demand, TimeProvider time)
    {
        var request = RouteRequest.For(Plan, _options, time);
        var isKeptOnPrimary = demand.IsWriteRecent && Plan.IsReadOnly && !request.IsStrong;
        var preferred = demand.Affinity != 0 ? demand.Affinity : _wait?.Awaited ?? 0;
        return request with { Excluded = Excluded, IsHedge = IsHedge, Floor = demand.Floor, Preferred = preferred, IsKeptOnPrimary = isKeptOnPrimary };
    }

    /// <summary>Excludes a host on which the operation failed, until it answers a probe. <paramref name="reason"/> describes the failure where the exception does not.</summary>
    public FailedHosts Exclude(HostConfiguration host, Exception failure, long failedAt, string? reason = null)
    {
        (Failed ??= new FailedHosts()).Exclude(host, failure, Plan.Database, failedAt, reason);
        return Failed;
    }

    /// <summary>Resets the operation as if it had met no failure, for a transaction that was rolled back. Its deadline keeps running.</summary>
    public void ForgetTries() => (Failed, _wait) = (null, null);

    /// <exception cref="TimeoutException">The caller's deadline has passed.</exception>
    public void ThrowIfExpired(TimeProvider time)
    {
        if (Remaining(time) == TimeSpan.Zero) throw Expired(Failed?.LastFailure);
    }

    /// <summary>Whether a wait that has just timed out reached the caller's deadline. Allows for timers that fire early.</summary>
    public bool IsNearlyExpired(TimeProvider time) => Remaining(time) < s_timerResolution;

    public TimeoutException Expired(Exception? cause)
    {
        HasExpired = true;
        return new($"The '{Plan.Name}' operation exceeded its deadline of {_options.Deadline?.TotalMilliseconds:0} ms.", cause);
    }

    /// <summary>Returns the time left until the caller's deadline; null if there is none.</summary>
    public TimeSpan? Remaining(TimeProvider time) => _options.Deadline is { } deadline ? Left(deadline, time) : null;

    /// <summary>Returns the time left to wait for a host, or for a connection of an exhausted pool. Counts from the first call until the operation has a connection.</summary>
    /// <remarks><paramref name="atLeast"/> is a lower bound for the route's limit.</remarks>
    public TimeSpan RemainingWait(TimeProvider time, TimeSpan atLeast = default) =>
        IsHedge ? TimeSpan.Zero : WithinDeadline(Wait.Left(TimeSpan.Max(Plan.Wait, atLeast), time), time);

    /// <summary>
    /// Returns the time left to wait for an eligible host. Zero for a retry that only checks whether another host has the same error: it never waits.
    /// </summary>
    public TimeSpan RemainingWaitForHost(TimeProvider time, TimeSpan atLeast = default) => Failed?.FirstRun is null ? RemainingWait(time, atLeast) : TimeSpan.Zero;

    /// <summary>Returns the time left to wait for a replica to catch up with the session, before the read falls back to the primary.</summary>
    public TimeSpan RemainingCatchUp(TimeProvider time) => WithinDeadline(Left(Plan.CatchUpWait, time), time);

    /// <summary>Ends the wait: the operation has a connection.</summary>
    public void EndWait(TimeProvider time) => _wait?.End(time);

    /// <exception cref="PostgresException">The error of the first attempt, if the retry was only to check whether another host has it, too.</exception>
    public NoEligibleHostException NoHost(TopologySnapshot topology, in ReadRequirement demand, TimeProvider time, string? whyNotPrimary = null) =>
        Failed?.FirstRun is { Error: var error } ? throw error
            : Eligibility.NoHost(topology, Plan, Request(demand, time), time, Failed?.LastFailure, whyNotPrimary, Failed?.Refusals);

    private TimeSpan WithinDeadline(TimeSpan wait, TimeProvider time) => Remaining(time) is { } overall ? TimeSpan.Min(overall, wait) : wait;

    private TimeSpan Left(TimeSpan limit, TimeProvider time) => TimeSpan.Max(limit - time.GetElapsedTime(StartedAt), TimeSpan.Zero);
}
