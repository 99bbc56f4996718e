using System.Numerics;

namespace ReplicaRouter.Selection;

/// <summary>Who may serve the plain requests of a route, judged once for a snapshot rather than at each choice, and for how long that holds.</summary>
/// <remarks>A request is plain that asks for nothing beyond its route: no labels, no position, no lag of its own, no host to leave out.</remarks>
internal sealed class ReadyHosts(ulong hosts, int route, long from, long until)
{
    private static readonly ReadyHosts None = new(0, 0, 0, 0);

    private long _wholeAt;

    /// <summary>All hosts that may serve at a moment of the coarse clock, one bit each; 0 when each has to be judged by itself.</summary>
    public ulong All(long now) => now < from || now >= until ? 0 : hosts;

    /// <summary>Those among them that are fast enough to choose among, and not excluded.</summary>
    public ulong Window(long now, ReadOnlySpan<HostLoad> loads, ulong excluded = 0)
    {
        var wanted = All(now) & ~excluded;
        // As long as all are fast, once a tick is often enough to look.
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
        // Judged at the beginning of time: what time does to a verdict is in the limits below.
        var request = new RouteRequest(0, time.Ticks(plan.MaxLag), []);
        var tier = plan.FirstTier;
        ulong hosts = 0;
        long from = 0, until = long.MaxValue;
        foreach (var host in topology.Hosts)
        {
            if (Eligibility.Judge(topology, host, tier, request, isForcedToPrimary: false) != Verdict.Eligible) continue;
            // Whether a connection is open to it that is free, only the opener can tell.
            if (host.IsWarmOnly) return None;
            hosts |= host.Configuration.Bit;
            // Until a host has its whole share of the load, each choice throws dice for it.
            from = Math.Max(from, host.Comeback.FullAt);
            // Answers expire, and lag is known to stay within its limit only for so long.
            until = Math.Min(until, tier.IsPrimary ? host.ExpiresAt : Math.Min(host.ExpiresAt, host.FreshAt!.Value + host.Leeway + request.MaxLag));
        }

        return hosts == 0 ? None : new ReadyHosts(hosts, plan.Index, time.Coarse(from) + CoarseClock.Resolution, time.Coarse(until) - CoarseClock.Resolution);
    }
}
