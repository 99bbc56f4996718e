namespace ReplicaRouter;

/// <summary>Counters of one router since it was created.</summary>
public sealed record DatabaseRouterMetrics
{
    /// <summary>Commands that were run, by built-in operation. All five keys are always there.</summary>
    public required IReadOnlyDictionary<DatabaseOperation, long> QueriesRouted { get; init; }

    /// <summary>Commands that were run, by host and by route name. Hosts and routes that ran none are absent.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>> QueriesByHost { get; init; }

    /// <summary>How often another server became the primary.</summary>
    public required long Failovers { get; init; }

    /// <summary>How often an operator forced all reads to the primary. Orders that prolong such a time are not counted.</summary>
    public long ForcedToPrimary { get; init; }

    /// <summary>Choices that left the route's own group, by route and reason. A group that has no host is no reason.</summary>
    public required IReadOnlyList<RouteFallback> Fallbacks { get; init; }

    /// <summary>How often each host came into each state. States that a host never had are absent.</summary>
    public IReadOnlyList<HostTransition> Transitions { get; init; } = [];

    /// <summary>What was done so that failures of hosts did not reach callers.</summary>
    public RecoveryMetrics Recovery { get; init; } = new(0, 0, 0, 0, 0, 0, 0);

    /// <summary>What sessions needed so far.</summary>
    public SessionMetrics Sessions { get; init; } = new(0, 0, 0, 0, 0);

    /// <summary>Moving average of the time that commands took, in milliseconds, by host. Hosts that ran none are absent.</summary>
    public required IReadOnlyDictionary<string, double> AverageLatency { get; init; }

    /// <summary>When a host last answered a probe or failed one; <see langword="null"/> before the first.</summary>
    public required DateTimeOffset? LastHealthCheck { get; init; }
}

/// <summary>How often a route had to leave its own group, and why.</summary>
/// <param name="Route">The route's name.</param>
/// <param name="Reason">Why the hosts of its own group could not serve, as in <c>Down</c>, <c>Lagging</c>, <c>Drained</c>.</param>
/// <param name="Count">Number of choices.</param>
public sealed record RouteFallback(string Route, string Reason, long Count);

/// <summary>How often a host came into a state.</summary>
/// <param name="Host">The host's name.</param>
/// <param name="State">The state.</param>
/// <param name="Count">Number of times.</param>
public sealed record HostTransition(string Host, HostState State, long Count);

/// <summary>What was done so that failures of hosts did not reach callers.</summary>
/// <param name="Retries">Reads that were run again on another host.</param>
/// <param name="WriteRetries">Writes that were run again because they were provably not executed.</param>
/// <param name="RetriesRefused">Reads and writes that were not run again because the budget for retries was spent.</param>
/// <param name="Moved">Reads that were taken off a host that hung, and run on another one.</param>
/// <param name="Hedges">Reads that were started a second time because the first run was slow.</param>
/// <param name="HedgesWon">Those of which the second run answered first.</param>
/// <param name="Shed">Reads that were refused because the primary already served as many as it may for replicas that can't.</param>
public sealed record RecoveryMetrics(long Retries, long WriteRetries, long RetriesRefused, long Moved, long Hedges, long HedgesWon, long Shed);

/// <summary>What sessions needed so far.</summary>
/// <param name="Begun">Sessions begun or created.</param>
/// <param name="PositionsAsked">Reads that first had to ask a host for a position, one round trip each: mostly the first read after a write.</param>
/// <param name="CatchUpWaits">Times that a read waited for a replica to replay what its session needs.</param>
/// <param name="LostHistories">Sessions that had seen what a failover lost.</param>
/// <param name="IgnoredTokens">Tokens that were damaged, forged or of another cluster.</param>
public sealed record SessionMetrics(long Begun, long PositionsAsked, long CatchUpWaits, long LostHistories, long IgnoredTokens);
