using System.Collections.Immutable;
using System.Numerics;

namespace ReplicaRouter.Topology;

/// <summary>Everything that is known about the cluster at one moment. Immutable: a new fact makes a new snapshot.</summary>
internal sealed class TopologySnapshot
{
    private readonly TaskCompletionSource _superseded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly object?[] _derived;
    private readonly ulong _present;

    private TopologySnapshot(HealthSettings settings, ImmutableArray<HostSnapshot> hosts, int routes)
    {
        (Settings, Hosts, _derived) = (settings, hosts, new object?[routes]);
        Primary = hosts.FirstOrDefault(host => host.MayBePrimary);
        _present = hosts.Aggregate(0UL, (present, host) => present | host.Configuration.Bit);
        IsWeighted = hosts.Any(host => host.Configuration.Weight != hosts[0].Configuration.Weight);
        Probers = MostProbers(hosts.Where(host => host.IsServing)) is > 0 and var serving ? serving : Math.Max(1, MostProbers(hosts));
    }

    private static int MostProbers(IEnumerable<HostSnapshot> hosts) => hosts.Max(host => host.Answer?.Probers) ?? 0;

    public HealthSettings Settings { get; }

    /// <summary>The current hosts, ordered by index. Indexes of removed hosts are missing.</summary>
    public ImmutableArray<HostSnapshot> Hosts { get; }

    public bool IsWeighted { get; }

    /// <summary>Returns the host at an index; null if there is none.</summary>
    public HostSnapshot? At(int index) => (_present & (1UL << index)) == 0 ? null : Hosts[PositionOf(index)];

    /// <summary>Returns that host; null if it was removed, even if another host has its index now.</summary>
    public HostSnapshot? Find(HostConfiguration? host) => host is not null && At(host.Index) is { } known && known.Configuration.IsSameMember(host) ? known : null;

    /// <summary>The one server that can take writes; null if there is none, or if it is not certain which.</summary>
    public HostSnapshot? Primary { get; }

    /// <summary>The cluster's identity; null until it is decided.</summary>
    public ClusterIdentity? Identity { get; private init; }

    public ulong? SystemIdentifier => Identity?.SystemIdentifier;

    /// <summary>The timeline that the cluster is on; 0 until it is known. A primary on a lower one is an old primary.</summary>
    public int Timeline => Belief.Timeline;

    /// <summary>The clock that turns WAL positions into ages: what the primary wrote, and what standbys received while there was no primary.</summary>
    public WalHistory Wal { get; private init; } = WalHistory.Empty;

    /// <summary>Like <see cref="Wal"/>, but only what the primary showed.</summary>
    private WalHistory PrimaryWal { get; init; } = WalHistory.Empty;

    public TimelineBelief Belief { get; private init; } = TimelineBelief.None;
    public NamedLeaders Leaders { get; private init; } = NamedLeaders.None;
    public TimelineHistory History { get; private init; } = TimelineHistory.Empty;
    public AbandonedHistory GivenUp { get; private init; }

    /// <summary>Timestamp until which an operator forces all reads to the primary; 0 if not.</summary>
    public long ForcedToPrimaryUntil { get; private init; }

    /// <summary>
    /// Number of routers in the fleet, as each of them probes every host. The highest count that a serving host reports: a restarted host has seen only some of them
    /// so far, and the count of a lost one is out of date.
    /// </summary>
    public int Probers { get; }

    public bool IsSettled => Hosts.All(host => host.IsSettled);

    /// <summary>Returns the position up to which a replica provably replayed the current timeline; 0 for none.</summary>
    /// <remarks>A lower bound as long as the server does not crash: replay only moves forward.</remarks>
    public ulong ReplayedBy(HostSnapshot host)
    {
        if (host.Answer is not { ReplayLsn: { } replayed } answer || answer.ReplayTimeline != Timeline) return 0;
        // The control file proves that a timeline was reached, not that no later one was. While a hidden WAL receiver can have moved
        // the standby on, only a healthy primary proves that there is no later timeline.
        return answer.IsTimelineHidden && Primary is not { IsWell: true } ? 0 : replayed;
    }

    /// <summary>Whether a replica provably shows everything up to a position.</summary>
    public bool Reaches(HostSnapshot replica, in WalPosition position) => position.IsNone || (position.Timeline <= Timeline && ReplayedBy(replica) >= position.Lsn);

    /// <summary>Whether a replica's last answer lacked WAL that the primary was known to have written <paramref name="lag"/> before it.</summary>
    public bool IsKnownToLagBy(HostSnapshot replica, TimeSpan lag, TimeProvider time) => ReplayedBy(replica) < Wal.KnownAt(replica.LastAnswered!.SentAt - time.Ticks(lag));

    /// <summary>
    /// Returns the hosts to ask for the positions of a session's accesses to some hosts, one bit each. A healthy primary's answer covers them all, unless some were
    /// on another timeline, as before a failover.
    /// </summary>
    public ulong WitnessesFor(ulong hosts, bool isAcrossTimelines)
    {
        var primary = Primary?.Configuration.Bit ?? 0;
        return Primary is { IsWell: true } && !isAcrossTimelines ? primary : primary | hosts;
    }

    /// <summary>Completes when a newer snapshot replaces this one, so that waiting for a host needs no polling.</summary>
    public Task Superseded => _superseded.Task;

    /// <summary>Room for what selection derives from this snapshot for a route, so that it is derived once.</summary>
    public ref object? DerivedFor(RoutePlan plan) => ref _derived[plan.Index];

    public static TopologySnapshot Initial(RouterConfiguration configuration) =>
        new(configuration.Health, [.. configuration.Hosts.Select(host => new HostSnapshot { Configuration = host })], configuration.Routes.Length);

    public void MarkSuperseded() => _superseded.TrySetResult();

    public TopologySnapshot With(HostObservation observation, TimeProvider time)
    {
        if (At(observation.HostIndex) is not { } host) return this;
        // A caller's failure can be reported after the answer to a probe that was sent later, and is out of date then.
        // An answer still brings newer positions, even if a later failure was reported before it.
        var isNewest = host.Last is not { } last || observation.SentAt >= last.SentAt;
        if (!isNewest && (observation.Answer is null || observation.SentAt < host.LastAnswered?.SentAt)) return this;

        var isSameRun = observation.Answer is null || observation.Answer.Server == host.Answer?.Server;
        var leeway = observation.Answer is null ? host.Leeway : time.Ticks(Settings.LeewayOf(Math.Max(observation.Answer.Probers, Probers)));
        var updated = host with
        {
            Last = isNewest ? observation : host.Last,
            LastAnswered = observation.Answer is null ? host.LastAnswered : observation,
            ExpiresAt = observation.Answer is null ? host.ExpiresAt : observation.SentAt + time.Ticks(Settings.Lifetime) + leeway,
            Leeway = leeway,
            Misses = !isNewest ? host.Misses : observation.Failure?.Kind is FailureKind.Timeout or FailureKind.None ? host.Misses + 1 : 0,
            Observations = host.Observations + 1,
            Fork = observation.Answer is null ? host.Fork : ForkOf(host, observation.Answer),
            ReachedTimeline = Math.Max(isSameRun ? host.ReachedTimeline : 0, observation.Answer?.ReplayTimeline ?? 0),
            DivergedFrom = isSameRun ? host.DivergedFrom : 0,
            Ruling = observation.Answer is null || host.Ruling?.Covers(observation.Answer) == true ? host.Ruling : null,
            Faulty = host.Faulty is { } faulty && observation.ReceivedAt < faulty.Until ? faulty : null,
        };
        if (updated.IsAnswering ? updated.Answer!.IsInRecovery : HostStateRules.IsOut(updated)) updated = updated with { OutAt = observation.ReceivedAt };
        return Derive(Replaced(updated with { Probation = ProbationOf(host, updated, observation, time) }), time, observation);
    }

    /// <summary>Returns this topology with the outcome of a login: its failure, or null if it succeeded. Ignores a login that began before the newest completed one.</summary>
    public TopologySnapshot WithLogin(int hostIndex, HostFailure? failure, long startedAt, TimeProvider time) => At(hostIndex) is not { } host || startedAt < host.LoginAt
        ? this
        : Derive(Replaced(host with { LoginFailure = failure, LoginAt = startedAt }), time);

    public TopologySnapshot WithFaulty(int hostIndex, FaultyHost faulty, TimeProvider time) => At(hostIndex) is not { } host
        ? this
        : Derive(Replaced(host with { Faulty = faulty }), time);

    public TopologySnapshot WithDrained(int hostIndex, bool isDrained, TimeProvider time) => At(hostIndex) is not { } host || host.IsDrained == isDrained
        ? this
        : Derive(Replaced(host with { IsDrained = isDrained }), time);

    public TopologySnapshot WithForcedToPrimary(long until, TimeProvider time) => Derive(Hosts, time, forcedUntil: until);

    public TopologySnapshot WithLeaders(NamedLeaders leaders, TimeProvider time) =>
        leaders.ByEndpoint.IsEmpty && Leaders.ByEndpoint.IsEmpty ? this : Derive(Hosts, time, leaders: leaders);

    /// <summary>Returns this topology after an operator accepted a host's identity and timeline as the cluster's. Every later timeline is abandoned.</summary>
    public TopologySnapshot WithAccepted(HostSnapshot accepted, TimeProvider time)
    {
        ImmutableArray<HostSnapshot> ruled = [.. Hosts.Select(host => host with
        {
            Ruling = ReferenceEquals(host, accepted) ? OperatorRuling.Accept(host) : IsRival(host, accepted) ? OperatorRuling.Refuse(host) : null,
        })];
        return Derive(ruled, time, identity: new ClusterIdentity(accepted.Answer!.SystemIdentifier, IsFirm: true));
    }

    /// <summary>Whether a host would prevent the router from following an accepted one.</summary>
    private static bool IsRival(HostSnapshot host, HostSnapshot accepted) =>
        !ReferenceEquals(host, accepted) && host.Answer is { } answer && answer.SystemIdentifier == accepted.Answer!.SystemIdentifier && answer.Server != accepted.Answer.Server
        && (host.ReachedTimeline > accepted.ShownTimeline || (host.ShownTimeline == accepted.ShownTimeline && !answer.IsInRecovery && !accepted.Answer.IsInRecovery));

    /// <summary>Returns this topology with other hosts. Hosts that stay keep their observations.</summary>
    public TopologySnapshot WithHosts(IReadOnlyCollection<HostConfiguration> hosts, TimeProvider time)
    {
        var changed = hosts.OrderBy(host => host.Index).Select(host => Find(host) is { } known
            ? known with { Configuration = host }
            : new HostSnapshot { Configuration = host, Probation = Probation.Arrival });
        return Derive([.. changed], time);
    }

    private int PositionOf(int index) => BitOperations.PopCount(_present & ((1UL << index) - 1));

    private ImmutableArray<HostSnapshot> Replaced(HostSnapshot host) => Hosts.SetItem(PositionOf(host.Configuration.Index), host);

    private TopologySnapshot Derive(
        ImmutableArray<HostSnapshot> hosts, TimeProvider time, HostObservation? observation = null,
        NamedLeaders? leaders = null, ClusterIdentity? identity = null, long? forcedUntil = null)
    {
        leaders ??= Leaders;
        forcedUntil ??= ForcedToPrimaryUntil;
        identity ??= ClusterIdentity.Decide(Identity, hosts);
        // Another cluster replaced the former one: what was learned about the former one no longer holds.
        var isReplaced = SystemIdentifier is { } former && former != identity?.SystemIdentifier;
        if (isReplaced) hosts = [.. hosts.Select(host => host with { Probation = Probation.Arrival })];

        hosts = FaultyHost.Limit(PassiveHealthLimit.Limit([.. hosts.Select(host => HostStateRules.Standing(host, identity))]));
        var belief = TimelineBelief.Of(hosts, identity?.SystemIdentifier, leaders, isReplaced ? TimelineBelief.None : Belief, time);
        hosts = DuplicateHosts.Mark(PrimaryElection.Judge(hosts, belief, leaders, time));
        var primary = hosts.FirstOrDefault(host => host.MayBePrimary);

        var isFresh = isReplaced || belief.Timeline < Timeline;
        var history = isFresh ? TimelineHistory.Empty : HistoryAfter(observation);
        if (primary is not null) history = history.Of(primary.Answer!, primary.Fork);
        var (primaryWal, wal) = isFresh ? (WalHistory.Empty, WalHistory.Empty) : (PrimaryWal, Wal);
        // Drop positions that standbys showed while no primary answered: the primary may have written more all the time.
        if (primary is not null) wal = primaryWal;
        if (observation is not null) (primaryWal, wal) = RecordWal(primaryWal, wal, primary, hosts[PositionOf(observation.HostIndex)], observation);
        hosts = [.. hosts.Select(host => ReplicationLag.Judge(host, primary, belief.Timeline, wal, Settings.MaxLag, time))];

        return new TopologySnapshot(Settings, hosts, _derived.Length)
        {
            Identity = identity,
            Belief = belief,
            Leaders = leaders,
            GivenUp = GivenUp.After((SystemIdentifier, Timeline), (identity?.SystemIdentifier, belief.Timeline), time.GetTimestamp()),
            Wal = wal,
            PrimaryWal = primaryWal,
            History = history,
            ForcedToPrimaryUntil = forcedUntil > time.GetTimestamp() ? forcedUntil.Value : 0,
        };
    }

    private TimelineHistory HistoryAfter(HostObservation? observation) =>
        observation?.Answer is { } answer && answer.SystemIdentifier == SystemIdentifier ? History.With(At(observation.HostIndex)!.Answer, answer) : History;

    /// <summary>Returns where the timeline that a host writes branched off the previous one. A restart does not change that, and recovers everything that was flushed.</summary>
    private static ulong? ForkOf(HostSnapshot host, HostAnswer answer) => TimelineHistory.ForkShownBy(host.Answer, answer)
        ?? (host.Answer is { IsInRecovery: false } before && !answer.IsInRecovery && before.Timeline == answer.Timeline
            && (before.Server == answer.Server || !(answer.ReplayLsn < before.FlushLsn)) ? host.Fork : null);

    private Probation ProbationOf(HostSnapshot before, HostSnapshot updated, HostObservation observation, TimeProvider time)
    {
        // A probe has to confirm a caller's failure: the caller's own network may be the cause.
        if (observation.IsFromCaller) return updated.Probation;
        if (HostStateRules.IsOut(updated)) return updated.Probation.Failed(observation.ReceivedAt, time);
        if (observation.Answer is not { } answer) return updated.Probation;
        // It restarted before a probe could notice.
        var isRestarted = before.Last is { IsFromCaller: true } && answer.StartedAt > before.Answer?.StartedAt;
        var probation = isRestarted ? updated.Probation.Failed(observation.ReceivedAt, time) : updated.Probation;
        return probation.Answered(observation.ReceivedAt, answer.IsInRecovery, HealthSettings.ProofOf(Math.Max(answer.Probers, Probers)), time);
    }

    private static (WalHistory OfPrimary, WalHistory All) RecordWal(WalHistory ofPrimary, WalHistory all, HostSnapshot? primary, HostSnapshot observed, HostObservation observation)
    {
        if (observation.Answer is not { } answer || !observed.IsServing) return (ofPrimary, all);
        if (ReferenceEquals(observed, primary))
        {
            var next = ofPrimary.Record(answer.Timeline ?? 0, observation.SentAt, answer.InsertLsn ?? 0);
            return (next, next);
        }

        // While no primary answers, what standbys still receive shows how far the cluster is. A replica that stays behind that is stale;
        // if no standby receives anything, the replicas that replayed everything are as fresh as any host can be.
        return primary is null && answer.ReceiveLsn is { } received ? (ofPrimary, all.Record(all.Timeline, observation.SentAt, received)) : (ofPrimary, all);
    }
}
