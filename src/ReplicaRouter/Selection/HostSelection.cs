using System.Numerics;

namespace ReplicaRouter.Selection;

/// <summary>Chooses the host for a request. Pure except for the random source; allocates nothing and takes no lock.</summary>
internal static class HostSelection
{
    /// <summary>Chooses for a request that, like nearly all, asks for nothing beyond its route, except for hosts to exclude.</summary>
    /// <returns>The host's index, or -1 if it takes <see cref="Choose"/> to decide.</returns>
    public static int ChoosePlain(TopologySnapshot topology, RoutePlan plan, ReadOnlySpan<HostLoad> loads, Random random, TimeProvider time, ulong excluded = 0)
    {
        // Drawn first: otherwise the CPU would wait for it, and only then for everything that depends on the host.
        var drawn = random.Next();
        var now = time.Coarse();
        var window = ReadyHosts.For(topology, plan, time).Window(now, loads, excluded);
        return window == 0 ? -1 : PickByLoad(topology, window, loads, random, drawn, now);
    }

    public static Choice Choose(TopologySnapshot topology, RoutePlan plan, in RouteRequest request, ReadOnlySpan<HostLoad> loads, Random random)
    {
        var fallback = request.IsKeptOnPrimary ? Verdict.BehindSession : Verdict.Eligible;
        ulong behind = 0;
        foreach (ref readonly var tier in request.TiersOf(plan).AsSpan())
        {
            // The DR replica serves when nothing better is left. For a hedged attempt, the first attempt is something better.
            if (request.IsHedge && tier.Group == HostNames.DisasterRecovery && tier != plan.Tiers[0]) break;
            ulong eligible = 0, suspect = 0;
            var reason = Verdict.Eligible;
            foreach (var host in topology.Hosts)
            {
                var verdict = Eligibility.Judge(topology, host, plan, tier, request);
                if (verdict == Verdict.Eligible) eligible |= host.Configuration.Bit;
                else if (verdict == Verdict.Suspect) suspect |= host.Configuration.Bit;
                else if (verdict == Verdict.BehindSession) behind |= host.Configuration.Bit;

                if (verdict > reason && IsReasonToFallBack(verdict, host)) reason = verdict;
            }

            var candidates = eligible != 0 ? eligible : suspect;
            // A hedged attempt gains nothing on a host that is slower than that of the first attempt.
            if (request.IsHedge && candidates != 0) candidates &= ~OutlierEjection.Of(candidates, plan.Index, loads).Ejected;
            if (candidates != 0) return new Choice(topology.At(Pick(topology, candidates, request, plan, loads, random)), fallback, candidates, behind);
            if (reason > fallback) fallback = reason;
        }

        return new Choice(null, fallback, 0, behind);
    }

    /// <summary>Returns the host that finished a command most recently, and not slowly: what delays the first attempt may delay other hosts as well, unnoticed so far.</summary>
    private static int LastAnswered(ulong candidates, OutlierEjection ejection, ReadOnlySpan<HostLoad> loads)
    {
        var last = BitOperations.TrailingZeroCount(candidates);
        for (var rest = candidates; rest != 0; rest &= rest - 1)
        {
            var host = BitOperations.TrailingZeroCount(rest);
            var (its, best) = (loads[host], loads[last]);
            var (wasSlow, wasBestSlow) = (ejection.WasSlow(host) || its.HasFailed, ejection.WasSlow(last) || best.HasFailed);
            if (wasSlow == wasBestSlow ? its.Commands.ProgressAt > best.Commands.ProgressAt : wasBestSlow) last = host;
        }

        return last;
    }

    /// <summary>Whether a verdict is a reason to fall back. A group without hosts is none, nor is the configured primary, which serves reads only once it is a standby.</summary>
    private static bool IsReasonToFallBack(Verdict verdict, HostSnapshot host) =>
        verdict is not (Verdict.Suspect or Verdict.NotMember or Verdict.NotPrimary) && !(host.Configuration.IsConfiguredPrimary && host.Role != HostRole.Replica);

    private static int Pick(TopologySnapshot topology, ulong candidates, in RouteRequest request, RoutePlan plan, ReadOnlySpan<HostLoad> loads, Random random)
    {
        if (BitOperations.IsPow2(candidates)) return BitOperations.TrailingZeroCount(candidates);
        var ejection = OutlierEjection.Of(candidates, plan.Index, loads);
        var window = SlowStart.Filter(topology, ejection.Filter(candidates, loads), request.Now, random);
        if (request.IsHedge) return LastAnswered(window, ejection, loads);
        return (window & request.Preferred) != 0 ? BitOperations.TrailingZeroCount(request.Preferred) : PickByLoad(topology, window, loads, random, random.Next(), loads[BitOperations.TrailingZeroCount(window)].Now);
    }

    private static int PickByLoad(TopologySnapshot topology, ulong window, ReadOnlySpan<HostLoad> loads, Random random, int drawn, long now) =>
        topology.IsWeighted ? WeightedShares.Pick(topology, window, loads, random) : LeastInFlight.Pick(window, loads, drawn, now);
}

/// <summary>The outcome of a choice.</summary>
/// <param name="Host">The host; null if none may serve.</param>
/// <param name="Fallback">The worst reason why a better group could not serve; <see cref="Verdict.Eligible"/> if the route's own group does.</param>
/// <param name="Candidates">The hosts that could have been chosen, one bit each.</param>
/// <param name="Behind">The hosts of better groups that only have to replay more, one bit each.</param>
internal readonly record struct Choice(HostSnapshot? Host, Verdict Fallback, ulong Candidates, ulong Behind);
