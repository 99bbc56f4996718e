using System.Collections.Immutable;

namespace ReplicaRouter.Topology;

/// <summary>Which timeline the cluster is on, and which of the hosts that there are vouch for it.</summary>
/// <remarks>
/// The highest timeline that a present host vouches for counts. A host that does not answer goes on vouching: writes that it acknowledged would be
/// lost. Once no host vouches for a timeline any more, it is given up at once.
/// </remarks>
internal sealed record TimelineBelief
{
    /// <summary>A server alone that is further ahead than this is misconfigured, or worse: a promotion raises the timeline by one, and the others made or followed it.</summary>
    public const int MostAhead = 20;

    /// <summary>How long what a silent host showed last speaks against a leap: each of the promotions in between would take Patroni half a minute.</summary>
    private static readonly TimeSpan s_memory = TimeSpan.FromMinutes(10);

    public static readonly TimelineBelief None = new();

    /// <summary>The timeline; 0 as long as none is known.</summary>
    public int Timeline { get; private init; }

    /// <summary>The hosts that vouch for it, one bit each.</summary>
    public ulong Witnesses { get; private init; }

    /// <summary>Hosts alone on a timeline that promotions can't explain, one bit each.</summary>
    public ulong Leaping { get; private init; }

    /// <summary>Hosts out of recovery that a source calls replicas of a primary that is well, one bit each.</summary>
    public ulong Outvoted { get; private init; }

    /// <summary>Hosts out of recovery that a source calls replicas, whether it is right or late, one bit each.</summary>
    public ulong Contradicted { get; private init; }

    /// <summary>The highest timeline that a server out of recovery was seen on: what standbys say of later ones may count for nothing.</summary>
    private int Proven { get; init; }

    /// <summary>Decides again, by what each host's own observations say of it, the primaries that sources name, and what was believed before.</summary>
    public static TimelineBelief Of(ImmutableArray<HostSnapshot> hosts, ulong? cluster, NamedLeaders leaders, TimelineBelief before, TimeProvider time)
    {
        var outvoted = Outvoted(leaping: 0);
        var leaping = Leaping(outvoted);
        // A leader that leaps outvotes no host: its source is wrong, or worse.
        if (leaping != 0) leaping = Leaping(outvoted = Outvoted(leaping));
        var admitted = Admitted(outvoted | leaping);
        var proven = Math.Max(before.Proven, Highest(admitted.Where(host => host.Answer is { IsInRecovery: false })));
        var isOrdered = hosts.Any(host => host.IsAccepted);
        var counted = admitted.Where(host => Counts(host, proven, isOrdered)).ToList();
        var timeline = Highest(counted);
        return new TimelineBelief
        {
            Timeline = timeline,
            Proven = Math.Min(proven, timeline),
            Witnesses = Bits(counted.Where(host => host.ShownTimeline == timeline)),
            Leaping = leaping,
            Outvoted = outvoted,
            Contradicted = Bits(hosts.Where(host => LeaderInPlaceOf(host, hosts, leaders) is not null)),
        };

        ulong Outvoted(ulong leaping) => Bits(hosts.Where(host => IsOutvoted(host, hosts, cluster, leaders, leaping)));
        ulong Leaping(ulong outvoted) => Bits(Leapers(Admitted(outvoted), time));
        List<HostSnapshot> Admitted(ulong except) => [.. hosts.Where(host => IsAdmitted(host, cluster) && (except & host.Configuration.Bit) == 0)];
    }

    private static bool IsAdmitted(HostSnapshot host, ulong? cluster) =>
        host is { ShownTimeline: > 0, IsRefused: false } && (cluster is null || host.Answer!.SystemIdentifier == cluster);

    /// <summary>
    /// A server out of recovery has its timeline. A standby's word counts where a primary was seen on its timeline; and if the operator configured it, unless he has
    /// accepted another host: a standby may follow the server that was given up only after the order.
    /// </summary>
    private static bool Counts(HostSnapshot host, int proven, bool isOrdered) =>
        host.Answer is { IsInRecovery: false } || host.IsAccepted || host.ShownTimeline <= proven || (!host.Configuration.IsDiscovered && !isOrdered);

    /// <summary>
    /// Whether a source contradicts what is observed of a host, and is right in that: the primary that it names takes writes, and has not been out since the source
    /// was asked. A source may be late, and an old primary that was out may have been replaced.
    /// </summary>
    private static bool IsOutvoted(HostSnapshot host, ImmutableArray<HostSnapshot> hosts, ulong? cluster, NamedLeaders leaders, ulong leaping) =>
        LeaderInPlaceOf(host, hosts, leaders) is { } leader && !host.IsAccepted
        && hosts.FirstOrDefault(other => other.Configuration.HasEndpoint(leader.Endpoint)) is { MayBePrimary: true } named
        && (named.Configuration.Bit & leaping) == 0 && named.OutAt <= leader.AskedAt && IsAdmitted(named, cluster) && named.Answer!.Server != host.Answer!.Server;

    private static NamedLeader? LeaderInPlaceOf(HostSnapshot host, ImmutableArray<HostSnapshot> hosts, NamedLeaders leaders) =>
        host.Answer is { IsInRecovery: false } ? leaders.InPlaceOf(host, hosts) : null;

    private static IEnumerable<HostSnapshot> Leapers(IEnumerable<HostSnapshot> admitted, TimeProvider time)
    {
        var byTimeline = admitted.GroupBy(host => host.ShownTimeline).OrderByDescending(group => group.Key).ToList();
        foreach (var (i, leaping) in byTimeline.Index())
        {
            var isAlone = leaping.DistinctBy(host => host.Answer!.Server).Count() == 1 && !leaping.Any(host => host.IsAccepted);
            var next = byTimeline.Skip(i + 1).FirstOrDefault(group => group.Any(host => host.IsAnswering || time.GetElapsedTime(host.LastAnswered!.SentAt) < s_memory));
            if (!isAlone || next is null || leaping.Key - next.Key <= MostAhead) yield break;
            foreach (var host in leaping) yield return host;
        }
    }

    private static int Highest(IEnumerable<HostSnapshot> hosts) => hosts.Select(host => host.ShownTimeline).DefaultIfEmpty().Max();

    private static ulong Bits(IEnumerable<HostSnapshot> hosts) => hosts.Aggregate(0UL, (set, host) => set | host.Configuration.Bit);
}
