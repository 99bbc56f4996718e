using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>Counts what the router decided. Plain numbers, one array cell a route and reason.</summary>
internal sealed class RoutingCounters(ImmutableArray<HostConfiguration> hosts, ImmutableArray<RoutePlan> routes)
{
    private static readonly HostState[] States = Enum.GetValues<HostState>();

    private static readonly Verdict[] Reasons = Enum.GetValues<Verdict>();

    private readonly long[] _fallbacks = new long[routes.Length * Reasons.Length];
    private readonly long[] _states = new long[hosts.Length * States.Length];
    private long _failovers;
    private long _retries, _retriesRefused, _moved, _hedges, _hedgesWon, _shed, _writesRetried;
    private long _sessions, _positionsAsked, _catchUpWaits, _lostHistories, _ignoredTokens;

    public long Failovers => Volatile.Read(ref _failovers);

    public void CountFailover() => Interlocked.Increment(ref _failovers);

    public void CountState(HostConfiguration host, HostState state) => Interlocked.Increment(ref _states[(host.Index * States.Length) + (int)state]);

    public void CountRetry() => Interlocked.Increment(ref _retries);

    public void CountWriteRetry() => Interlocked.Increment(ref _writesRetried);

    public void CountRetryRefused() => Interlocked.Increment(ref _retriesRefused);

    public void CountMoved() => Interlocked.Increment(ref _moved);

    public void CountHedge() => Interlocked.Increment(ref _hedges);

    public void CountHedgeWon() => Interlocked.Increment(ref _hedgesWon);

    public void CountShed() => Interlocked.Increment(ref _shed);

    public RecoveryMetrics Recovery() => new(
        Volatile.Read(ref _retries), Volatile.Read(ref _writesRetried), Volatile.Read(ref _retriesRefused), Volatile.Read(ref _moved),
        Volatile.Read(ref _hedges), Volatile.Read(ref _hedgesWon), Volatile.Read(ref _shed));

    public IReadOnlyList<HostTransition> Transitions() => [.. TransitionCounts().Select(count => new HostTransition(count.Host.Name, count.State, count.Count))];

    public IEnumerable<(HostConfiguration Host, HostState State, long Count)> TransitionCounts() =>
        from host in hosts
        from state in States
        let count = Volatile.Read(ref _states[(host.Index * States.Length) + (int)state])
        where count > 0
        select (host, state, count);

    public void CountSession() => Interlocked.Increment(ref _sessions);

    public void CountPositionAsked() => Interlocked.Increment(ref _positionsAsked);

    public void CountCatchUpWait() => Interlocked.Increment(ref _catchUpWaits);

    public void CountLostHistory() => Interlocked.Increment(ref _lostHistories);

    public long CountIgnoredToken() => Interlocked.Increment(ref _ignoredTokens);

    public SessionMetrics Sessions() => new(
        Volatile.Read(ref _sessions), Volatile.Read(ref _positionsAsked), Volatile.Read(ref _catchUpWaits), Volatile.Read(ref _lostHistories), Volatile.Read(ref _ignoredTokens));

    public void CountFallback(RoutePlan plan, Verdict reason) => Interlocked.Increment(ref _fallbacks[(plan.Index * Reasons.Length) + (int)reason]);

    public IReadOnlyList<RouteFallback> Fallbacks() => [.. FallbackCounts().Select(count => new RouteFallback(count.Route.Name, count.Reason.ToString(), count.Count))];

    public IEnumerable<(RoutePlan Route, Verdict Reason, long Count)> FallbackCounts() =>
        from plan in routes
        from reason in Reasons
        let count = Volatile.Read(ref _fallbacks[(plan.Index * Reasons.Length) + (int)reason])
        where count > 0
        select (plan, reason, count);
}
