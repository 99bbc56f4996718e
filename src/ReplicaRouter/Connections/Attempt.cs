using System.Data;
using Npgsql;

namespace ReplicaRouter;

/// <summary>One operation on its way to a host: what it asks for, whom it has tried, and how much time it has left.</summary>
internal sealed class Attempt
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan s_timerResolution = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMilliseconds(400);

    private readonly OperationOptions _options;
    private ulong _excluded;
    private ulong _refusedBy;
    private Dictionary<string, string>? _refusals;
    private Exception? _lastFailure;
    private long _lastFailureAt;
    private TimeSpan _backoff;
    private long? _waitingSince;
    private TimeSpan _waited;
    private int _pauses;

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
    public bool IsPlain => Session is null && _excluded == 0 && !IsHedge && _options is { MaxLag: null, Consistency: null } && _options.Labels.IsDefaultOrEmpty;

    public RouteRequest Request(in SessionDemand demand, TimeProvider time)
    {
        var request = RouteRequest.For(Plan, _options, time);
        var isKeptOnPrimary = demand.IsWriteRecent && Plan.IsReadOnly && !request.IsStrong;
        return request with { Excluded = _excluded, IsSecondRun = IsHedge, Floor = demand.Floor, Preferred = demand.Affinity != 0 ? demand.Affinity : Awaited, IsKeptOnPrimary = isKeptOnPrimary };
    }

    /// <summary>Time left to wait for a replica to catch up with the session before the primary serves it.</summary>
    public TimeSpan RemainingCatchUp(TimeProvider time)
    {
        var left = Left(Plan.CatchUpWait, time);
        return Remaining(time) is { } overall ? TimeSpan.Min(overall, left) : left;
    }

    /// <summary>The host that the operation was last sent to.</summary>
    public HostConfiguration? Host { get; set; }

    /// <summary>Whether something was sent of which nobody knows what became of it.</summary>
    public bool IsOutcomeUnknown { get; set; }

    /// <summary>Its place among the reads that the primary serves for replicas that can't.</summary>
    public PrimaryTicket? Ticket { get; set; }

    /// <summary>Queries that were in the way of a standby's replay. The next standby would cancel it as well.</summary>
    public int Conflicts { get; set; }

    /// <summary>A first run that met an error which its host alone may have. Another host is tried once, and waited for not at all.</summary>
    public FailedRun? FailedRun { get; set; }

    /// <summary>How often hosts were asked for positions on behalf of this operation.</summary>
    public int Asks { get; set; }

    /// <summary>The replica that was asked or waited for on behalf of this operation last, as a bit: the operation reads there if it may.</summary>
    public ulong Awaited { get; set; }

    /// <summary>Replicas that were lost, or did not answer, while this operation waited for them, one bit each: it waits for them no more.</summary>
    public ulong LostWaiting { get; set; }

    /// <summary>What the primary may have hidden when it was asked on behalf of this operation.</summary>
    public PrimaryDoubt? Doubt { get; set; }

    /// <summary>Whether probes were hurried on behalf of this operation. Once is enough: what they find wakes all who wait.</summary>
    public bool HasWoken { get; set; }

    /// <summary>Whether a second run was faster, although it began later.</summary>
    public bool IsBeaten { get; set; }

    /// <summary>Whether it is stopped, a second run whose first run has answered.</summary>
    public bool IsStopped { get; set; }

    /// <summary>Whether it is a second run beside a first one: it waits for nothing, and never burdens the primary.</summary>
    public bool IsHedge { get; private init; }

    /// <summary>A second run of the same work, on another host than the first.</summary>
    public Attempt Hedge(TimeProvider time) => new(Plan, _options, Session, time) { IsHedge = true, _excluded = _excluded | (Host?.Bit ?? 0) };

    /// <summary>Leaves out a host that does not show what the session has read, until it has answered again.</summary>
    public void ExcludeHiding(HostConfiguration primary, long now)
    {
        const string Reason = "hides a commit that the session has read on a replica, until its synchronous standby confirms it";
        Exclude(primary, new NpgsqlException($"{primary.Endpoint} {Reason}."), now);
        (_refusals ??= [])[primary.Name] = Reason;
    }

    public void Exclude(HostConfiguration host, Exception failure, long failedAt)
    {
        _excluded |= host.Bit;
        (_lastFailure, _lastFailureAt) = (failure, failedAt);
        // Of what it meant for the host, the host's own state tells no more than this.
        var described = FailureClassifier.Describe(failure, host, Plan.Database);
        if (described.Kind is FailureKind.Misconfigured or FailureKind.None) (_refusals ??= [])[host.Name] = described.Message;
        if (described.Kind == FailureKind.Misconfigured && Plan.Database is not null) _refusedBy |= host.Bit;
    }

    /// <summary>Why the operation's database can't be used, though its cluster can: the primary itself refuses it. A replica may only not have it yet.</summary>
    /// <returns>Null where that is not known.</returns>
    public string? RefusalBy(HostSnapshot? primary) => primary is not null && (_refusedBy & primary.Configuration.Bit) != 0 ? _refusals![primary.Name] : null;

    /// <summary>Lets the operation begin once more as if it had met no failure: a transaction that was rolled back. Its deadline goes on.</summary>
    public void ForgetTries() => (_excluded, _refusals, _lastFailure, _waited, _waitingSince) = (0, null, null, TimeSpan.Zero, null);

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

    /// <summary>Whether a wait that has just timed out was the caller's deadline, give or take what a timer is early.</summary>
    public bool IsNearlyExpired(TimeProvider time) => Remaining(time) < s_timerResolution;

    /// <summary>Whether the caller's deadline has ended the operation.</summary>
    public bool HasExpired { get; private set; }

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
    public TimeSpan RemainingWait(TimeProvider time, TimeSpan atLeast = default)
    {
        if (IsHedge) return TimeSpan.Zero;
        _waitingSince ??= time.GetTimestamp();
        var left = TimeSpan.Max(TimeSpan.Max(Plan.Wait, atLeast) - _waited - time.GetElapsedTime(_waitingSince.Value), TimeSpan.Zero);
        return Remaining(time) is { } overall ? TimeSpan.Min(overall, left) : left;
    }

    /// <summary>The same for a host that may serve: work that would only be run again to see whether another host answers it waits for none.</summary>
    public TimeSpan RemainingWaitForHost(TimeProvider time, TimeSpan atLeast = default) => FailedRun is null ? RemainingWait(time, atLeast) : TimeSpan.Zero;

    /// <summary>Notes that the operation has a connection: what its work takes is no waiting.</summary>
    public void EndWait(TimeProvider time)
    {
        if (_waitingSince is not { } since) return;
        _waited += time.GetElapsedTime(since);
        _waitingSince = null;
    }

    /// <summary>Has a wait not count that took much longer than it could: the process was stopped meanwhile, and its caller with it.</summary>
    /// <param name="since">When the wait began.</param>
    /// <param name="limit">What it could take.</param>
    /// <param name="time">The clock.</param>
    /// <returns>Whether it does not count.</returns>
    public bool ForgivesPause(long since, TimeSpan limit, TimeProvider time)
    {
        if (limit <= TimeSpan.Zero || !HealthSettings.WasPaused(since, limit, time) || _pauses++ >= HealthSettings.MostVoid) return false;
        _waitingSince += time.GetTimestamp() - since;
        return true;
    }

    /// <exception cref="PostgresException">The error of its first run, where another host would only have been tried for it.</exception>
    public NoEligibleHostException NoHost(TopologySnapshot topology, in SessionDemand demand, TimeProvider time, string? whyNotPrimary = null) =>
        FailedRun is { } failed ? throw failed.Error
            : Eligibility.NoHost(topology, Plan, Request(demand, time), time, _lastFailure, whyNotPrimary, _refusals);

    private TimeSpan Left(TimeSpan limit, TimeProvider time)
    {
        var left = limit - time.GetElapsedTime(StartedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
