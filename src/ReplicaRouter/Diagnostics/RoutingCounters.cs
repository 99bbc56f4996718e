using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace ReplicaRouter.Diagnostics;

/// <summary>Counts the router's decisions, in plain arrays: one cell per event, and one per route and reason.</summary>
internal sealed class RoutingCounters(ImmutableArray<RoutePlan> routes, ImmutableArray<IHostDiscoverySource> sources)
{
    private static readonly Verdict[] Reasons = Enum.GetValues<Verdict>();

    private readonly long[] _events = new long[Enum.GetValues<RouterEvent>().Length];
    private readonly long[] _fallbacks = new long[routes.Length * Reasons.Length];
    private readonly ConcurrentDictionary<(string Host, HostState State), long> _states = new();
    private readonly long[] _removed = new long[routes.Length];

    public FailureLog Failures { get; } = new();

    public ConcurrentDictionary<string, long> DiscoveryFailures { get; } = new(sources.Select(source => KeyValuePair.Create(source.Name, 0L)));

    public ConcurrentDictionary<string, long> RefusedHosts { get; } = new(sources.Select(source => KeyValuePair.Create(source.Name, 0L)));

    public long this[RouterEvent counted] => Volatile.Read(ref _events[(int)counted]);

    public void Count(RouterEvent counted) => Interlocked.Increment(ref _events[(int)counted]);

    public void CountState(HostConfiguration host, HostState state) => _states.AddOrUpdate((host.Name, state), 1, (_, count) => count + 1);

    /// <summary>Returns the number of commands run on removed hosts, by the route's index.</summary>
    public long CommandsOfRemoved(int route) => Volatile.Read(ref _removed[route]);

    /// <summary>Keeps the commands of a removed host in the totals, and drops its other counters, because the number of host names over time is unbounded.</summary>
    /// <param name="host">The host's name.</param>
    /// <param name="commands">Its commands, by the route's index.</param>
    /// <param name="isNameFree">Whether no current host has this name.</param>
    public void Forget(string host, IEnumerable<long> commands, bool isNameFree)
    {
        foreach (var (route, count) in commands.Index()) Interlocked.Add(ref _removed[route], count);
        if (!isNameFree) return;
        foreach (var (key, _) in _states.Where(count => count.Key.Host == host)) _states.TryRemove(key, out _);
    }

    public IEnumerable<(string Host, HostState State, long Count)> Transitions() =>
        from count in _states
        orderby count.Key.Host, count.Key.State
        select (count.Key.Host, count.Key.State, count.Value);

    public void CountFallback(RoutePlan plan, Verdict reason) => Interlocked.Increment(ref _fallbacks[(plan.Index * Reasons.Length) + (int)reason]);

    public IEnumerable<(RoutePlan Route, Verdict Reason, long Count)> Fallbacks() =>
        from plan in routes
        from reason in Reasons
        let count = Volatile.Read(ref _fallbacks[(plan.Index * Reasons.Length) + (int)reason])
        where count > 0
        select (plan, reason, count);
}
