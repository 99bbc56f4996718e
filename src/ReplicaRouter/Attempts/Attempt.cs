using System.Data;
using Npgsql;

namespace ReplicaRouter.Attempts;

/// <summary>One operation on its way to a host: what it asks for, which hosts it has tried, and how much time it has left.</summary>
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
        // A write binds the reads after it, however lax it is itself.
        var isBound = !plan.IsReadOnly || (options.Consistency ?? plan.Consistency) is Consistency.Session or Consistency.Strong;
        Session = isBound ? session : null;
    }

    public RoutePlan Plan { get; }

    /// <summary>The session that the operation binds and is bound by, if any.</summary>
    public SessionState? Session { get; }

    public long StartedAt { get; }

    /// <summary>That of its transaction, if it is one.</summary>
    public IsolationLevel IsolationLevel => _options.IsolationLevel;

    /// <summary>Whether work that a host failed may be run again on another.</summary>
    public bool MayRetry => _options.AllowRetry ?? true;

    /// <summary>Whether a slow run may be given a second one beside it.</summary>
    public bool MayHedge => Plan.IsReadOnly && MayRetry && (_options.AllowHedging ?? Plan.Hedge);

    /// <summary>Whether it asks for nothing that its route doesn't.</summary>
    public bool IsPlain => Session is null && Excluded == 0 && !IsHedge && _options is { MaxLag: null, Consistency: null } && _options.Labels.IsDefaultOrEmpty;

    /// <summary>The host that the operation was last sent to.</summary>
    public HostConfiguration? Host { get; set; }

    /// <summary>The hosts that have failed it; null while none has.</summary>
    public FailedHosts? Failed { get; private set; }

    /// <summary>What it has done to get a host. Most operations have no need of it.</summary>
    public HostWait Wait => _wait ??= new HostWait();

    /// <summary>Its place among the reads that the primary serves for replicas that can't.</summary>
    public PrimaryTicket? Ticket { get; set; }

    /// <summary>Whether something was sent whose outcome is unknown.</summary>
    public bool IsOutcomeUnknown { get; set; }

    /// <summary>Whether a second run was faster, although it began later.</summary>
    public bool IsBeaten { get; set; }

    /// <summary>Whether it is stopped, a second run whose first run has answered.</summary>
    public bool IsStopped { get; set; }

    /// <summary>Whether it is a second run beside a first one: it waits for nothing, and never burdens the primary.</summary>
    public bool IsHedge { get; private init; }

    /// <summary>Whether the caller's deadline has ended the operation.</summary>
    public bool HasExpired { get; private set; }

    private ulong Excluded => Failed?.Excluded ?? 0;

    /// <summary>A second run of the same work, on another host than the first.</summary>
    public Attempt Hedge(TimeProvider time) => new(Plan, _options, Session, time) { IsHedge = true, Failed = new FailedHosts(Excluded | (Host?.Bit ?? 0)) };

    public RouteRequest Request(in SessionDemand demand, TimeProvider time)
    {
        var request = RouteRequest.For(Plan, _options, time);
        var isKeptOnPrimary = demand.IsWriteRecent && Plan.IsReadOnly && !request.IsStrong;
        var preferred = demand.Affinity != 0 ? demand.Affinity : _wait?.Awaited ?? 0;
        return request with { Excluded = Excluded, IsSecondRun = IsHedge, Floor = demand.Floor, Preferred = preferred, IsKeptOnPrimary = isKeptOnPrimary };
    }

    /// <summary>Leaves out a host that has failed the operation, until it has answered again. A reason says it for people where the failure does not.</summary>
    public FailedHosts Exclude(HostConfiguration host, Exception failure, long failedAt, string? reason = null)
    {
        (Failed ??= new FailedHosts()).Exclude(host, failure, Plan.Database, failedAt, reason);
        return Failed;
    }

    /// <summary>Lets the operation begin once more as if it had met no failure: a transaction that was rolled back. Its deadline goes on.</summary>
    public void ForgetTries() => (Failed, _wait) = (null, null);

    /// <exception cref="TimeoutException">The caller's deadline has passed.</exception>
    public void ThrowIfExpired(TimeProvider time)
    {
        if (Remaining(time) == TimeSpan.Zero) throw Expired(Failed?.LastFailure);
    }

    /// <summary>Whether a wait that has just timed out was the caller's deadline, give or take what a timer is early.</summary>
    public bool IsNearlyExpired(TimeProvider time) => Remaining(time) < s_timerResolution;

    public TimeoutException Expired(Exception? cause)
    {
        HasExpired = true;
        return new($"The '{Plan.Name}' operation did not end within its deadline of {_options.Deadline?.TotalMilliseconds:0} ms.", cause);
    }

    /// <summary>Time left of the caller's deadline; null when there is none.</summary>
    public TimeSpan? Remaining(TimeProvider time) => _options.Deadline is { } deadline ? Left(deadline, time) : null;

    /// <summary>Time left to wait for a host, or for a connection of a pool that is exhausted. It counts from here until the operation has a connection.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="atLeast">Waits for so long where the route says less.</param>
    public TimeSpan RemainingWait(TimeProvider time, TimeSpan atLeast = default) =>
        IsHedge ? TimeSpan.Zero : WithinDeadline(Wait.Left(TimeSpan.Max(Plan.Wait, atLeast), time), time);

    /// <summary>The same for a host that may serve: work that would only be run again to see whether another host answers it waits for none.</summary>
    public TimeSpan RemainingWaitForHost(TimeProvider time, TimeSpan atLeast = default) => Failed?.FirstRun is null ? RemainingWait(time, atLeast) : TimeSpan.Zero;

    /// <summary>Time left to wait for a replica to catch up with the session before the primary serves it.</summary>
    public TimeSpan RemainingCatchUp(TimeProvider time) => WithinDeadline(Left(Plan.CatchUpWait, time), time);

    /// <summary>Notes that the operation has a connection.</summary>
    public void EndWait(TimeProvider time) => _wait?.End(time);

    /// <exception cref="PostgresException">The error of its first run, where another host would only have been tried for it.</exception>
    public NoEligibleHostException NoHost(TopologySnapshot topology, in SessionDemand demand, TimeProvider time, string? whyNotPrimary = null) =>
        Failed?.FirstRun is { Error: var error } ? throw error
            : Eligibility.NoHost(topology, Plan, Request(demand, time), time, Failed?.LastFailure, whyNotPrimary, Failed?.Refusals);

    private TimeSpan WithinDeadline(TimeSpan wait, TimeProvider time) => Remaining(time) is { } overall ? TimeSpan.Min(overall, wait) : wait;

    private TimeSpan Left(TimeSpan limit, TimeProvider time) => TimeSpan.Max(limit - time.GetElapsedTime(StartedAt), TimeSpan.Zero);
}
