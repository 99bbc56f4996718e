namespace ReplicaRouter;

/// <summary>The counters of a router since its creation.</summary>
public sealed record DatabaseRouterMetrics
{
    /// <summary>Commands run, by built-in operation. All five keys are always present.</summary>
    public required IReadOnlyDictionary<DatabaseOperation, long> QueriesRouted { get; init; }

    /// <summary>Commands run, by host and route name. Hosts and routes that ran none are absent.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>> QueriesByHost { get; init; }

    /// <summary>Number of times that another server became the primary.</summary>
    public required long Failovers { get; init; }

    /// <summary>Number of times that an operator forced all reads to the primary. An order that only extends the time does not count.</summary>
    public long ForcedToPrimary { get; init; }

    /// <summary>Choices of a host outside the route's own group, by route and reason. A group without hosts does not count.</summary>
    public required IReadOnlyList<RouteFallback> Fallbacks { get; init; }

    /// <summary>Number of times that each host entered each state. States that a host never entered are absent.</summary>
    public IReadOnlyList<HostTransition> Transitions { get; init; } = [];

    /// <summary>What the router did to hide host failures from callers.</summary>
    public RecoveryMetrics Recovery { get; init; } = new();

    /// <summary>The counters of sessions.</summary>
    public SessionMetrics Sessions { get; init; } = new();

    /// <summary>Moving average of command durations, by host. Hosts that ran none are absent.</summary>
    public required IReadOnlyDictionary<string, TimeSpan> AverageLatency { get; init; }

    /// <summary>The time of the last probe of any host, answered or not; <see langword="null"/> before the first.</summary>
    public required DateTimeOffset? LastHealthCheck { get; init; }
}

/// <summary>Number of times that a route left its own group, for one reason.</summary>
public sealed record RouteFallback
{
    /// <summary>The route's name.</summary>
    public required string Route { get; init; }

    /// <summary>Why the hosts of its own group could not serve, such as <c>Down</c>, <c>Lagging</c>, <c>Drained</c>.</summary>
    public required string Reason { get; init; }

    /// <summary>Number of choices.</summary>
    public long Count { get; init; }
}

/// <summary>Number of times that a host entered a state.</summary>
public sealed record HostTransition
{
    /// <summary>The host's name.</summary>
    public required string Host { get; init; }

    /// <summary>The state.</summary>
    public required HostState State { get; init; }

    /// <summary>Number of times.</summary>
    public long Count { get; init; }
}

/// <summary>What the router did to hide host failures from callers.</summary>
public sealed record RecoveryMetrics
{
    /// <summary>Reads retried on another host.</summary>
    public long Retries { get; init; }

    /// <summary>Writes retried because they were provably not executed.</summary>
    public long WriteRetries { get; init; }

    /// <summary>Reads and writes not retried because the retry budget was spent.</summary>
    public long RetriesRefused { get; init; }

    /// <summary>Reads moved from a hung host to another one.</summary>
    public long Moved { get; init; }

    /// <summary>Hedged attempts: further attempts of reads whose earlier attempt was slow.</summary>
    public long Hedges { get; init; }

    /// <summary>Reads whose hedged attempt answered first.</summary>
    public long HedgesWon { get; init; }

    /// <summary>Reads refused because the primary already served its limit of fallback reads (<see cref="PrimaryProtectionOptions"/>).</summary>
    public long Shed { get; init; }
}

/// <summary>The counters of sessions.</summary>
public sealed record SessionMetrics
{
    /// <summary>Sessions begun or created.</summary>
    public long Begun { get; init; }

    /// <summary>Reads that first queried a host for a position, at one round trip each: usually the first read after a write.</summary>
    public long PositionsAsked { get; init; }

    /// <summary>Waits of reads for a replica to replay what their session needs. A wait counts again after each 250 ms.</summary>
    public long CatchUpWaits { get; init; }

    /// <summary>Sessions that had written or read something that a failover may have lost.</summary>
    public long LostHistories { get; init; }

    /// <summary>Tokens that were damaged, forged, too old or from another cluster.</summary>
    public long IgnoredTokens { get; init; }
}
