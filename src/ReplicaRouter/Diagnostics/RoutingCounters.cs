using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>Counts what the router decided. Plain numbers, one array cell a route and reason.</summary>
internal sealed class RoutingCounters(ImmutableArray<RoutePlan> routes, ImmutableArray<IHostDiscoverySource> sources)
{
    private static readonly Verdict[] Reasons = Enum.GetValues<Verdict>();

    private readonly long[] _fallbacks = new long[routes.Length * Reasons.Length];
    private readonly ConcurrentDictionary<(string Host, HostState State), long> _states = new();
    private readonly long[] _removed = new long[routes.Length];
    private readonly long[] _changes = new long[Enum.GetValues<TopologyChange>().Length];
    private readonly ConcurrentDictionary<string, long> _discoveryFailures = new(sources.Select(source => KeyValuePair.Create(source.Name, 0L)));
    private readonly ConcurrentDictionary<string, long> _refusedHosts = new(sources.Select(source => KeyValuePair.Create(source.Name, 0L)));
    private long _failovers, _forcedToPrimary;
    private long _retries, _retriesRefused, _moved, _hedges, _hedgesWon, _shed, _writesRetried;
    private long _sessions, _positionsAsked, _catchUpWaits, _lostHistories, _ignoredTokens;

    public FailureLog Failures { get; } = new();

    /// <summary>Connections that callers did not get.</summary>
    public long NotOpened => Volatile.Read(ref _notOpened);
    private long _notOpened;

    public void CountNotOpened() => Interlocked.Increment(ref _notOpened);

    public long Failovers => Volatile.Read(ref _failovers);

    public long ForcedToPrimary => Volatile.Read(ref _forcedToPrimary);

    public void CountForcedToPrimary() => Interlocked.Increment(ref _forcedToPrimary);

    public void CountFailover() => Interlocked.Increment(ref _failovers);

    public void CountState(HostConfiguration host, HostState state) => _states.AddOrUpdate((host.Name, state), 1, (_, count) => count + 1);

    /// <summary>Commands that were run on hosts that are no longer there, by the route's index.</summary>
    public long CommandsOfRemoved(int route) => Volatile.Read(ref _removed[route]);

    /// <summary>Keeps in the totals what was run on a host that is no longer there, and forgets the rest: names may come and go without end.</summary>
    public void Forget(HostPools host, bool isNameFree)
    {
        foreach (var pool in host.All) Interlocked.Add(ref _removed[pool.Plan.Index], pool.Commands);
        if (!isNameFree) return;
        foreach (var (key, _) in _states.Where(count => count.Key.Host == host.Host.Name)) _states.TryRemove(key, out _);
    }

    public void CountChange(TopologyChange change) => Interlocked.Increment(ref _changes[(int)change]);

    public IEnumerable<(TopologyChange Kind, long Count)> TopologyChanges() => Enum.GetValues<TopologyChange>().Select(kind => (kind, Volatile.Read(ref _changes[(int)kind])));

    public void CountDiscoveryFailure(string source) => _discoveryFailures.AddOrUpdate(source, 1, (_, count) => count + 1);

    public IEnumerable<KeyValuePair<string, long>> DiscoveryFailures() => _discoveryFailures;

    public void CountRefusedHosts(string source, int hosts) => _refusedHosts.AddOrUpdate(source, hosts, (_, count) => count + hosts);

    public IEnumerable<KeyValuePair<string, long>> RefusedHosts() => _refusedHosts;

    public void CountRetry() => Interlocked.Increment(ref _retries);

    public void CountWriteRetry() => Interlocked.Increment(ref _writesRetried);

    public void CountRetryRefused() => Interlocked.Increment(ref _retriesRefused);

    public void CountMoved() => Interlocked.Increment(ref _moved);

    public void CountHedge() => Interlocked.Increment(ref _hedges);

    public void CountHedgeWon() => Interlocked.Increment(ref _hedgesWon);

    public void CountShed() => Interlocked.Increment(ref _shed);

    public RecoveryMetrics Recovery() => new()
    {
        Retries = Volatile.Read(ref _retries),
        WriteRetries = Volatile.Read(ref _writesRetried),
        RetriesRefused = Volatile.Read(ref _retriesRefused),
        Moved = Volatile.Read(ref _moved),
        Hedges = Volatile.Read(ref _hedges),
        HedgesWon = Volatile.Read(ref _hedgesWon),
        Shed = Volatile.Read(ref _shed),
    };

    public IReadOnlyList<HostTransition> Transitions() => [.. TransitionCounts().Select(count => new HostTransition { Host = count.Host, State = count.State, Count = count.Count })];

    public IEnumerable<(string Host, HostState State, long Count)> TransitionCounts() =>
        from count in _states
        orderby count.Key.Host, count.Key.State
        select (count.Key.Host, count.Key.State, count.Value);

    public void CountSession() => Interlocked.Increment(ref _sessions);

    public void CountPositionAsked() => Interlocked.Increment(ref _positionsAsked);

    public void CountCatchUpWait() => Interlocked.Increment(ref _catchUpWaits);

    public void CountLostHistory() => Interlocked.Increment(ref _lostHistories);

    public void CountIgnoredToken() => Interlocked.Increment(ref _ignoredTokens);

    public SessionMetrics Sessions() => new()
    {
        Begun = Volatile.Read(ref _sessions),
        PositionsAsked = Volatile.Read(ref _positionsAsked),
        CatchUpWaits = Volatile.Read(ref _catchUpWaits),
        LostHistories = Volatile.Read(ref _lostHistories),
        IgnoredTokens = Volatile.Read(ref _ignoredTokens),
    };

    public void CountFallback(RoutePlan plan, Verdict reason) => Interlocked.Increment(ref _fallbacks[(plan.Index * Reasons.Length) + (int)reason]);

    public IReadOnlyList<RouteFallback> Fallbacks() => [.. FallbackCounts().Select(count => new RouteFallback { Route = count.Route.Name, Reason = count.Reason.ToString(), Count = count.Count })];

    public IEnumerable<(RoutePlan Route, Verdict Reason, long Count)> FallbackCounts() =>
        from plan in routes
        from reason in Reasons
        let count = Volatile.Read(ref _fallbacks[(plan.Index * Reasons.Length) + (int)reason])
        where count > 0
        select (plan, reason, count);
}
