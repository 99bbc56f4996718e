using System.Collections.Immutable;

namespace ReplicaRouter.Topology;

/// <summary>The timeline that the cluster is on, and the hosts that vouch for it.</summary>
/// <remarks>
/// The highest timeline that a current host vouches for counts. A host that stops answering still vouches: otherwise, writes that it acknowledged
/// would be lost. A timeline that no host vouches for any more is abandoned at once.
/// </remarks>
internal sealed record TimelineBelief
{
    /// <summary>
    /// A single server that is further ahead than this is misconfigured or malicious. A promotion raises the timeline by one, and other servers take part in it or follow.
    /// </summary>
    public const int MostAhead = 20;

    /// <summary>How long a silent host's last timeline is evidence against a leap: Patroni takes half a minute for each promotion in between.</summary>
    private static readonly TimeSpan s_memory = TimeSpan.FromMinutes(10);

    public static readonly TimelineBelief None = new();

    /// <summary>The timeline; 0 while none is known.</summary>
    public int Timeline { get; private init; }

    /// <summary>The hosts that vouch for it, one bit each.</summary>
    public ulong Witnesses { get; private init; }

    /// <summary>Hosts alone on a timeline that promotions can't explain, one bit each.</summary>
    public ulong Leaping { get; private init; }

    /// <summary>Hosts out of recovery that a source calls replicas of a healthy primary, one bit each.</summary>
    public ulong Outvoted { get; private init; }

    /// <summary>Hosts out of recovery that a source calls replicas, whether the source is right or out of date, one bit each.</summary>
    public ulong Contradicted { get; private init; }

    /// <summary>The highest timeline that a server out of recovery was seen on. A standby's word on a later one may not count.</summary>
    private int Proven { get; init; }

    /// <summary>Decides from each host's own state, the primaries that sources name, and the former belief.</summary>
    public static TimelineBelief Of(ImmutableArray<HostSnapshot> hosts, ulong? cluster, NamedLeaders leaders, TimelineBelief before, TimeProvider time)
    {
        var outvoted = Outvoted(leaping: 0);
        var leaping = Leaping(outvoted);
        // A leader that leaps outvotes no host: its source is wrong or malicious.
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
    /// Whether a host's timeline counts. That of a server out of recovery does. A standby's does if a primary was seen on it or on a later one; beyond that, only if the
    /// standby is configured rather than discovered, and no host was accepted: a standby can start to follow the abandoned server after that order.
    /// </summary>
    private static bool Counts(HostSnapshot host, int proven, bool isOrdered) =>
        host.Answer is { IsInRecovery: false } || host.IsAccepted || host.ShownTimeline <= proven || (!host.Configuration.IsDiscovered && !isOrdered);

    /// <summary>
    /// Whether a source contradicts what a host shows, and is right: the primary that the source names takes writes, and has not been out since the source was queried.
    /// Otherwise the source may be out of date: a primary that was out may have been replaced.
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
