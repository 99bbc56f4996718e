using System.Numerics;

namespace ReplicaRouter.Selection;

/// <summary>The hosts that may serve a route's plain requests, judged once per snapshot rather than at each choice, and for how long that holds.</summary>
/// <remarks>A plain request asks for nothing beyond its route: no labels, no position, no lag limit of its own. Excluded hosts are removed afterwards.</remarks>
internal sealed class ReadyHosts(ulong hosts, int route, long from, long until)
{
    private static readonly ReadyHosts None = new(0, 0, 0, 0);

    private long _wholeAt;

    /// <summary>Returns all hosts that may serve at a moment of the coarse clock, one bit each; 0 if each request has to be judged on its own.</summary>
    public ulong All(long now) => now < from || now >= until ? 0 : hosts;

    /// <summary>Returns those of them that are not excluded, ejected or silent.</summary>
    public ulong Window(long now, ReadOnlySpan<HostLoad> loads, ulong excluded = 0)
    {
        var wanted = All(now) & ~excluded;
        // While all are fast, one check per tick of the clock is enough.
        if (wanted == 0 || now == _wholeAt || BitOperations.IsPow2(wanted)) return wanted;
        var window = OutlierEjection.Of(wanted, route, loads).Filter(wanted, loads);
        if (window == hosts) _wholeAt = now;
        return window;
    }

    public static ReadyHosts For(TopologySnapshot topology, RoutePlan plan, TimeProvider time)
    {
        ref var derived = ref topology.DerivedFor(plan);
        return (ReadyHosts)(derived ??= Of(topology, plan, time));
    }

    private static ReadyHosts Of(TopologySnapshot topology, RoutePlan plan, TimeProvider time)
    {
        if (topology.ForcedToPrimaryUntil != 0) return None;
        // Judged at time 0: the limits below say when time changes a verdict.
        var request = new RouteRequest(0, time.Ticks(plan.MaxLag), []);
        var tier = plan.FirstTier;
        ulong hosts = 0;
        long from = 0, until = long.MaxValue;
        foreach (var host in topology.Hosts)
        {
            if (Eligibility.Judge(topology, host, plan, tier, request) != Verdict.Eligible) continue;
            // Only the opener knows whether a host that accepts no logins has an idle connection.
            if (host.IsWarmOnly) return None;
            hosts |= host.Configuration.Bit;
            // Until a host has its full share of the load, each choice is random (SlowStart).
            from = Math.Max(from, host.Probation.FullAt);
            // Answers expire, and lag is proven to be within its limit only for a time.
            until = Math.Min(until, tier.IsPrimary ? host.ExpiresAt : Math.Min(host.ExpiresAt, host.FreshAt!.Value + host.Leeway + request.MaxLag));
        }

        return hosts == 0 ? None : new ReadyHosts(hosts, plan.Index, time.Coarse(from) + CoarseClock.Resolution, time.Coarse(until) - CoarseClock.Resolution);
    }
}
