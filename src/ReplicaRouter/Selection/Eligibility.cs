using System.Collections.Immutable;
using System.Globalization;

namespace ReplicaRouter.Selection;

/// <summary>Decides whether a host may serve a request. Pure: the same snapshot, request and moment give the same verdict.</summary>
internal static class Eligibility
{
    /// <summary>Whether an operator's order keeps replicas from serving. It applies only while the primary can serve in their place.</summary>
    public static bool IsForcedToPrimary(TopologySnapshot topology, RoutePlan plan, in RouteRequest request) =>
        request.Now < topology.ForcedToPrimaryUntil && plan.HasPrimary && topology.Primary is { IsDrained: false } primary
        && primary.StateAt(request.Now) != HostState.Unknown && (request.Excluded & primary.Configuration.Bit) == 0;

    public static Verdict Judge(TopologySnapshot topology, HostSnapshot host, RoutePlan plan, in RouteTier tier, in RouteRequest request)
    {
        if (!tier.IsPrimary && (host.DuplicateOf is not null || !host.Configuration.Groups.Contains(tier.Group))) return Verdict.NotMember;
        var standing = Standing(host, request.Now);
        if (standing is not (Verdict.Eligible or Verdict.Suspect)) return standing;
        if (tier.IsPrimary && (request.IsHedge || !ReferenceEquals(host, topology.Primary))) return Verdict.NotPrimary;
        if (!tier.IsPrimary && host.Role != HostRole.Replica) return Verdict.IsPrimary;
        if (host.IsDrained) return Verdict.Drained;
        if ((request.Excluded & host.Configuration.Bit) != 0) return Verdict.Excluded;
        // The session has seen a newer timeline, so this is an old primary, even if the new one is not known yet.
        if (tier.IsPrimary) return request.Floor.Timeline > topology.Timeline ? Verdict.OldTimeline : standing;
        var verdict = JudgeReplica(topology, host, plan, request);
        return verdict == Verdict.Eligible ? standing : verdict;
    }

    private static Verdict JudgeReplica(TopologySnapshot topology, HostSnapshot host, RoutePlan plan, in RouteRequest request)
    {
        if (IsForcedToPrimary(topology, plan, request)) return Verdict.ForcedToPrimary;
        if (request.Labels.AsSpan().ContainsAnyExcept(host.Configuration.Labels.AsSpan())) return Verdict.LabelsMissing;
        if (host.FreshAt is not { } freshAt) return Verdict.LagUnknown;
        if (request.Now - freshAt - host.Leeway > request.MaxLag || host.LagTicks > request.MaxLag) return Verdict.Lagging;
        return topology.Reaches(host, request.Floor) ? Verdict.Eligible : Verdict.BehindSession;
    }

    private static Verdict Standing(HostSnapshot host, long now) => host.StateAt(now) switch
    {
        HostState.Suspect or HostState.Recovering => Verdict.Suspect,
        HostState.Failing => host.IsLeftOut ? Verdict.Failing : Verdict.Suspect,
        // Lag is judged later, by the request's own limit. Whether a host that accepts no logins has an open connection is for the opener to find out.
        var state when HostSnapshot.Serves(state) => Verdict.Eligible,
        HostState.Unknown => Verdict.Unknown,
        HostState.Hung => Verdict.Hung,
        HostState.Restarting => Verdict.Restarting,
        HostState.Misconfigured => Verdict.Misconfigured,
        HostState.ForeignCluster => Verdict.ForeignCluster,
        HostState.Fenced => Verdict.Fenced,
        HostState.OldTimeline => Verdict.OldTimeline,
        HostState.SplitBrain => Verdict.SplitBrain,
        _ => Verdict.Down,
    };

    public static NoEligibleHostException NoHost(TopologySnapshot topology, RoutePlan plan, RouteRequest request, TimeProvider time, Exception? cause = null, string? whyNotPrimary = null,
        IReadOnlyDictionary<string, string>? refusals = null) => new(plan.Name, Explain(topology, plan, request, time, whyNotPrimary, refusals), cause);

    /// <summary>Explains to people, host by host, why no host may serve.</summary>
    public static ImmutableArray<HostRejection> Explain(TopologySnapshot topology, RoutePlan plan, RouteRequest request, TimeProvider time, string? whyNotPrimary = null,
        IReadOnlyDictionary<string, string>? refusals = null) =>
        [.. topology.Hosts.Select(host => new HostRejection
        {
            Host = host.Name,
            Reason = whyNotPrimary is not null && ReferenceEquals(host, topology.Primary) ? whyNotPrimary
                : refusals?.GetValueOrDefault(host.Name) ?? Explain(topology, host, plan, request, time),
        })];

    public static string Explain(TopologySnapshot topology, HostSnapshot host, RoutePlan plan, RouteRequest request, TimeProvider time)
    {
        var verdict = request.TiersOf(plan).Select(tier => Judge(topology, host, plan, tier, request)).MinBy(Vagueness);
        return verdict switch
        {
            Verdict.Eligible or Verdict.Suspect => "is eligible, but connecting to it failed",
            Verdict.NotMember when host.DuplicateOf is { } duplicate => $"is the same server as {duplicate}",
            Verdict.NotMember => "is in no group of this route",
            Verdict.IsPrimary => "is the primary",
            Verdict.NotPrimary => "is a replica",
            Verdict.LabelsMissing => "lacks a label that the call requires",
            Verdict.Excluded => "has already failed this operation",
            Verdict.ForcedToPrimary => "all reads are forced to the primary",
            Verdict.Drained => "is drained",
            Verdict.Lagging => string.Create(CultureInfo.InvariantCulture,
                $"lag {time.GetElapsedTime(host.FreshAt!.Value, request.Now).TotalSeconds:0.0} s, limit {request.MaxLag / (double)time.TimestampFrequency:0.0} s"),
            Verdict.BehindSession when request.Floor.Lsn == ulong.MaxValue => "may lack what the session has written or read, as no primary has confirmed the position",
            Verdict.BehindSession => $"has not replayed what the session has written or read ({request.Floor})",
            Verdict.OldTimeline when host.State != HostState.OldTimeline => $"is on timeline {topology.Timeline}; the session has seen timeline {request.Floor.Timeline}",
            Verdict.LagUnknown => host.Error ?? "replication lag unknown",
            Verdict.Unknown when host.Last is null => "not probed yet",
            Verdict.Unknown => "has not answered a probe lately",
            _ => host.Error ?? host.State.ToString(),
        };
    }

    /// <summary>How little a verdict says: a replica's lag says more than that it is in another group, and that more than that it is not the primary.</summary>
    private static int Vagueness(Verdict verdict) => verdict switch
    {
        Verdict.NotPrimary => 3,
        Verdict.NotMember => 2,
        Verdict.IsPrimary => 1,
        _ => 0,
    };
}
