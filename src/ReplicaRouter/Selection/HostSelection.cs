using System.Numerics;

namespace ReplicaRouter;

/// <summary>Chooses the host for a request. Pure but for the random source, allocates nothing and takes no lock.</summary>
internal static class HostSelection
{
    public static Choice Choose(TopologySnapshot topology, RoutePlan plan, in RouteRequest request, ReadOnlySpan<HostPools> pools, Random random)
    {
        var fallback = Verdict.Eligible;
        var isForced = Eligibility.IsForcedToPrimary(topology, plan, request);
        foreach (ref readonly var tier in plan.Tiers.AsSpan())
        {
            ulong eligible = 0, suspect = 0;
            var reason = Verdict.Eligible;
            foreach (var host in topology.Hosts)
            {
                var verdict = Eligibility.Judge(topology, host, tier, request, isForced);
                if (verdict == Verdict.Eligible) eligible |= host.Configuration.Bit;
                else if (verdict == Verdict.Suspect) suspect |= host.Configuration.Bit;
                else if (IsReasonToFallBack(verdict, host) && verdict > reason) reason = verdict;
            }

            var candidates = eligible != 0 ? eligible : suspect;
            if (candidates != 0) return new Choice(topology.Hosts[Pick(candidates, plan, pools, random)], fallback, candidates);
            if (reason > fallback) fallback = reason;
        }

        return new Choice(null, fallback, 0);
    }

    /// <summary>A group without hosts is no reason. Nor is the configured primary, which serves reads only once it has become a standby.</summary>
    private static bool IsReasonToFallBack(Verdict verdict, HostSnapshot host) =>
        verdict is not (Verdict.NotMember or Verdict.NotPrimary) && !(host.Configuration.IsConfiguredPrimary && host.Role != HostRole.Replica);

    private static int Pick(ulong candidates, RoutePlan plan, ReadOnlySpan<HostPools> pools, Random random)
    {
        if (BitOperations.IsPow2(candidates)) return BitOperations.TrailingZeroCount(candidates);
        return TwoChoices.Pick(LatencyWindow.Filter(candidates, plan.Index, pools), pools, random);
    }
}

/// <summary>The outcome of a choice.</summary>
/// <param name="Host">The host, or null when none may serve.</param>
/// <param name="Fallback">The worst reason why a better group could not serve; <see cref="Verdict.Eligible"/> when the route's own group does.</param>
/// <param name="Candidates">The hosts that could have been chosen, one bit each.</param>
internal readonly record struct Choice(HostSnapshot? Host, Verdict Fallback, ulong Candidates);
