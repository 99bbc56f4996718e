using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>Counts what the router decided. Plain numbers, one array cell a route and reason.</summary>
internal sealed class RoutingCounters(ImmutableArray<RoutePlan> routes)
{
    private static readonly Verdict[] Reasons = Enum.GetValues<Verdict>();

    private readonly long[] _fallbacks = new long[routes.Length * Reasons.Length];
    private long _failovers;

    public long Failovers => Volatile.Read(ref _failovers);

    public void CountFailover() => Interlocked.Increment(ref _failovers);

    public void CountFallback(RoutePlan plan, Verdict reason) => Interlocked.Increment(ref _fallbacks[(plan.Index * Reasons.Length) + (int)reason]);

    public IReadOnlyList<RouteFallback> Fallbacks() =>
    [
        .. from plan in routes
           from reason in Reasons
           let count = Volatile.Read(ref _fallbacks[(plan.Index * Reasons.Length) + (int)reason])
           where count > 0
           select new RouteFallback(plan.Name, reason.ToString(), count),
    ];
}
