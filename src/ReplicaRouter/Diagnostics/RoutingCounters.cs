using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>Counts what the router decided. Plain numbers, one array cell a route and reason.</summary>
internal sealed class RoutingCounters(ImmutableArray<RoutePlan> routes)
{
    private static readonly Verdict[] Reasons = Enum.GetValues<Verdict>();

    private readonly long[] _fallbacks = new long[routes.Length * Reasons.Length];
    private long _failovers;
    private long _sessions, _positionsAsked, _catchUpWaits, _lostHistories, _ignoredTokens;

    public long Failovers => Volatile.Read(ref _failovers);

    public void CountFailover() => Interlocked.Increment(ref _failovers);

    public void CountSession() => Interlocked.Increment(ref _sessions);

    public void CountPositionAsked() => Interlocked.Increment(ref _positionsAsked);

    public void CountCatchUpWait() => Interlocked.Increment(ref _catchUpWaits);

    public void CountLostHistory() => Interlocked.Increment(ref _lostHistories);

    public long CountIgnoredToken() => Interlocked.Increment(ref _ignoredTokens);

    public SessionMetrics Sessions() => new(
        Volatile.Read(ref _sessions), Volatile.Read(ref _positionsAsked), Volatile.Read(ref _catchUpWaits), Volatile.Read(ref _lostHistories), Volatile.Read(ref _ignoredTokens));

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
