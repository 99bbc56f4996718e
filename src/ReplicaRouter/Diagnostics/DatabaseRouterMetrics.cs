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
    public RecoveryMetrics Recovery { get; init; } = new();

    /// <summary>What sessions needed so far.</summary>
    public SessionMetrics Sessions { get; init; } = new();

    /// <summary>Moving average of the time that commands took, by host. Hosts that ran none are absent.</summary>
    public required IReadOnlyDictionary<string, TimeSpan> AverageLatency { get; init; }

    /// <summary>When a host last answered a probe or failed one; <see langword="null"/> before the first.</summary>
    public required DateTimeOffset? LastHealthCheck { get; init; }
}

/// <summary>How often a route had to leave its own group, and why.</summary>
public sealed record RouteFallback
{
    /// <summary>The route's name.</summary>
    public required string Route { get; init; }

    /// <summary>Why the hosts of its own group could not serve, as in <c>Down</c>, <c>Lagging</c>, <c>Drained</c>.</summary>
    public required string Reason { get; init; }

    /// <summary>Number of choices.</summary>
    public long Count { get; init; }
}

/// <summary>How often a host came into a state.</summary>
public sealed record HostTransition
{
    /// <summary>The host's name.</summary>
    public required string Host { get; init; }

    /// <summary>The state.</summary>
    public required HostState State { get; init; }

    /// <summary>Number of times.</summary>
    public long Count { get; init; }
}

/// <summary>What was done so that failures of hosts did not reach callers.</summary>
public sealed record RecoveryMetrics
{
    /// <summary>Reads that were run again on another host.</summary>
    public long Retries { get; init; }

    /// <summary>Writes that were run again because they were provably not executed.</summary>
    public long WriteRetries { get; init; }

    /// <summary>Reads and writes that were not run again because the budget for retries was spent.</summary>
    public long RetriesRefused { get; init; }

    /// <summary>Reads that were taken off a host that hung, and run on another one.</summary>
    public long Moved { get; init; }

    /// <summary>Reads that were started a second time because the first run was slow.</summary>
    public long Hedges { get; init; }

    /// <summary>Those of which the second run answered first.</summary>
    public long HedgesWon { get; init; }

    /// <summary>Reads that were refused because the primary already served as many as it may for replicas that can't.</summary>
    public long Shed { get; init; }
}

/// <summary>What sessions needed so far.</summary>
public sealed record SessionMetrics
{
    /// <summary>Sessions begun or created.</summary>
    public long Begun { get; init; }

    /// <summary>Reads that first had to ask a host for a position, one round trip each: mostly the first read after a write.</summary>
    public long PositionsAsked { get; init; }

    /// <summary>Times that a read waited for a replica to replay what its session needs. One that waits for more than 250 ms counts again.</summary>
    public long CatchUpWaits { get; init; }

    /// <summary>Sessions that had seen what a failover lost.</summary>
    public long LostHistories { get; init; }

    /// <summary>Tokens that were damaged, forged or of another cluster.</summary>
    public long IgnoredTokens { get; init; }
}
