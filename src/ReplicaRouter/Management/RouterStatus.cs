namespace ReplicaRouter.Management;

/// <summary>Builds the public health status and metrics from snapshots and counters.</summary>
internal sealed class RouterStatus(
    TopologyStore store, HostRegistry registry, CommandListener listener, RoutingCounters counters, TimeProvider time)
{
    public IReadOnlyDictionary<string, HostHealth> Health()
    {
        var (now, topology) = (time.GetTimestamp(), store.Current);
        // Once for all hosts: each recount makes Npgsql count all pools.
        listener.Recount();
        return topology.Hosts.ToDictionary(host => host.Name, host => Health(host, topology.Primary, now), StringComparer.OrdinalIgnoreCase);
    }

    public DatabaseRouterMetrics Metrics()
    {
        var all = registry.All.SelectMany(host => host.All).Where(pool => pool.Commands > 0).ToList();
        var lastProbe = registry.Hosts.Max(host => registry.MonitorOf(host.Host).LastProbeAt);
        return new DatabaseRouterMetrics
        {
            QueriesRouted = Enum.GetValues<DatabaseOperation>().ToDictionary(op => op, op => all.Where(p => p.Plan.Index == (int)op).Sum(p => p.Commands) + counters.CommandsOfRemoved((int)op)),
            QueriesByHost = all.GroupBy(p => p.Host.Name).ToDictionary(
                host => host.Key, IReadOnlyDictionary<string, long> (host) => host.GroupBy(p => p.Plan.Name).ToDictionary(route => route.Key, route => route.Sum(p => p.Commands))),
            Failovers = counters[RouterEvent.Failover],
            ForcedToPrimary = counters[RouterEvent.ForcedToPrimary],
            Fallbacks = [.. counters.Fallbacks().Select(count => new RouteFallback { Route = count.Route.Name, Reason = count.Reason.ToString(), Count = count.Count })],
            Transitions = [.. counters.Transitions().Select(count => new HostTransition { Host = count.Host, State = count.State, Count = count.Count })],
            Recovery = new RecoveryMetrics
            {
                Retries = counters[RouterEvent.Retry],
                WriteRetries = counters[RouterEvent.WriteRetry],
                RetriesRefused = counters[RouterEvent.RetryRefused],
                Moved = counters[RouterEvent.Moved],
                Hedges = counters[RouterEvent.Hedge],
                HedgesWon = counters[RouterEvent.HedgeWon],
                Shed = counters[RouterEvent.Shed],
            },
            Sessions = new SessionMetrics
            {
                Begun = counters[RouterEvent.Session],
                PositionsAsked = counters[RouterEvent.PositionAsked],
                CatchUpWaits = counters[RouterEvent.CatchUpWait],
                LostHistories = counters[RouterEvent.LostHistory],
                IgnoredTokens = counters[RouterEvent.IgnoredToken],
            },
            AverageLatency = registry.Hosts.Where(p => p.Load.Latency.Value > 0).ToDictionary(p => p.Host.Name, p => TimeSpan.FromMilliseconds(p.Load.Latency.Value)),
            LastHealthCheck = lastProbe == 0 ? null : new DateTimeOffset(lastProbe, TimeSpan.Zero),
        };
    }

    private HostHealth Health(HostSnapshot host, HostSnapshot? primary, long now)
    {
        var state = host.StateAt(now);
        var isKnown = state != HostState.Unknown;
        return new HostHealth
        {
            IsHealthy = state is HostState.Healthy or HostState.Suspect or HostState.NoLogins or HostState.Full,
            Latency = TimeSpan.FromMilliseconds(registry.MonitorOf(host.Configuration).LastProbeMs),
            ReplicationLag = isKnown ? host.Lag : null,
            LagBytes = isKnown ? host.LagBytes : null,
            Error = isKnown || host.Last is null ? host.Error : "has not answered a probe lately",
            // A former primary that does not answer is not reported as the primary.
            Role = host.Role == HostRole.Primary && !ReferenceEquals(host, primary) && (!isKnown || HostStateRules.IsSilent(host)) ? HostRole.Unknown : host.Role,
            State = state,
            IsDrained = host.IsDrained,
            Timeline = host.Answer?.Timeline,
            ConnectionsInUse = registry.PoolsOf(host.Configuration).Sources.Sum(source => source.Busy),
            Age = host.LastAnswered is { } answered ? time.GetElapsedTime(answered.SentAt, now) : null,
        };
    }
}
