using System.Collections.Immutable;

namespace ReplicaRouter.Selection;

/// <summary>The host that a request would go to (null if none may serve), and how each host stands in that choice, in the order of the configuration.</summary>
internal sealed record RouteExplanation(string Route, string? Chosen, ImmutableArray<HostExplanation> Hosts)
{
    public static RouteExplanation Of(
        TopologySnapshot topology, RoutePlan plan, RouteRequest request, ReadOnlySpan<HostLoad> loads, Random random, TimeProvider time)
    {
        var choice = HostSelection.Choose(topology, plan, request, loads, random);
        var window = choice.Candidates == 0 ? 0 : choice.Candidates & ~OutlierEjection.Of(choice.Candidates, plan.Index, loads).Ejected;
        return new(plan.Name, choice.Host?.Name, [.. topology.Hosts.Select(host => Of(topology, host, plan, request, choice, window, time))]);
    }

    private static HostExplanation Of(TopologySnapshot topology, HostSnapshot host, RoutePlan plan, RouteRequest request, Choice choice, ulong window, TimeProvider time)
    {
        var (group, verdict) = StepOf(topology, host, plan, request);
        var bit = host.Configuration.Bit;
        var (standing, reason) = verdict switch
        {
            _ when ReferenceEquals(host, choice.Host) => (HostStanding.Chosen, "serves"),
            _ when (window & bit) != 0 => (HostStanding.Candidate, "would serve as well: the least busy host is chosen, among equals usually the one that just answered"),
            _ when (choice.Candidates & bit) != 0 => (HostStanding.Slow, "is more than twice as slow as the fastest: gets only an occasional trial"),
            Verdict.Eligible => (HostStanding.Reserve, $"serves when the groups before '{group}' can't"),
            Verdict.Suspect => (HostStanding.Reserve, "is in doubt: serves when no better host is left"),
            _ => (HostStanding.Rejected, Eligibility.Explain(topology, host, plan, request, time)),
        };
        return new(host.Name, standing, group, reason);
    }

    /// <summary>Returns the first tier in which the host may serve; if there is none, the first one that it belongs to.</summary>
    private static (string? Group, Verdict Verdict) StepOf(TopologySnapshot topology, HostSnapshot host, RoutePlan plan, RouteRequest request)
    {
        var steps = request.TiersOf(plan)
            .Select(tier => (tier.Group, Verdict: Eligibility.Judge(topology, host, plan, tier, request)))
            .Where(step => step.Verdict is not (Verdict.NotMember or Verdict.NotPrimary or Verdict.IsPrimary)).ToList();
        return steps.FirstOrDefault(step => step.Verdict is Verdict.Eligible or Verdict.Suspect, steps.FirstOrDefault((null!, Verdict.NotMember)));
    }
}

/// <summary>How a host stands in a choice, and why, without passwords. The group is the one in which it may serve, or to which it belongs; null if the route has none.</summary>
internal sealed record HostExplanation(string Host, HostStanding Standing, string? Group, string Reason);

internal enum HostStanding
{
    Chosen,

    /// <summary>Could have been chosen as well.</summary>
    Candidate,

    /// <summary>May serve, but is ejected for being slower than the fastest.</summary>
    Slow,

    /// <summary>May serve when better hosts can't.</summary>
    Reserve,

    Rejected,
}
