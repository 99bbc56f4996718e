namespace ReplicaRouter.Dashboard.Feed;

/// <summary>Reads the router's status, and a point for the charts. Not thread-safe.</summary>
internal sealed class Sampler(DatabaseRouter router, Orders orders, TimeProvider time)
{
    private readonly Percentiles _percentiles = new();
    private Dictionary<string, long[]> _counts = [];
    private long _countedAt = time.GetTimestamp();

    public string[] Routes { get; } = [.. router.Engine.Routes.Select(route => route.Name)];

    public RouterStatusMessage Status()
    {
        var health = router.GetHealthStatus();
        // A host can have been added or removed since the previous line.
        var hosts = router.Engine.Pools.Where(pools => health.ContainsKey(pools.Host.Name)).ToList();
        var metrics = router.GetMetrics();
        var topology = router.Engine.Topology;
        var (notOpened, failures) = router.Engine.Failures;
        var forced = topology.ForcedToPrimaryUntil == 0 ? 0 : Math.Max(0, (long)time.GetElapsedTime(time.GetTimestamp(), topology.ForcedToPrimaryUntil).TotalMilliseconds);
        return new RouterStatusMessage(
            time.GetUtcNow().ToUnixTimeMilliseconds(),
            topology.Primary?.Name,
            topology.Timeline,
            forced,
            forced > 0 ? orders.ForcedBy : null,
            metrics.Failovers,
            [.. hosts.Select(pools => StatusOf(pools, health[pools.Host.Name], topology))],
            [.. router.Engine.Routes.Select(route => StatusOf(route, hosts))],
            notOpened,
            [.. failures.Select(failure => new FailureMessage(failure.LastAt.ToUnixTimeMilliseconds(), failure.Route, failure.Host, failure.What, failure.Text, failure.Count))],
            [.. metrics.Fallbacks.Select(fallback => new FallbackMessage(fallback.Route, Words.OfVerdict(fallback.Reason), fallback.Count))],
            metrics.Recovery,
            metrics.Sessions);
    }

    /// <summary>Returns the charts' values at this moment. Call it once a second.</summary>
    public HistoryPoint Point(RouterStatusMessage status)
    {
        _percentiles.Sample(router.Engine.Pools);
        var now = time.GetTimestamp();
        var seconds = time.GetElapsedTime(_countedAt, now).TotalSeconds;
        double[][] rates = [.. status.Hosts.Select(host => RatesOf(host, seconds))];
        (_counts, _countedAt) = (status.Hosts.ToDictionary(host => host.Name, host => host.Commands), now);
        return new HistoryPoint(
            status.At,
            [.. status.Hosts.Select(host => host.LagMs)],
            [.. status.Hosts.Select(host => Answers(host.State) ? host.LatencyMs : (double?)null)],
            rates);
    }

    private HostStatus StatusOf(HostPools pools, HostHealth health, TopologySnapshot topology)
    {
        var name = pools.Host.Name;
        return new HostStatus(
            name, health.Role, health.State, health.IsHealthy, health.IsDrained ? orders.DrainedBy(name) : null, health.Timeline,
            health.ReplicationLag is { } lag ? Math.Round(lag.TotalMilliseconds, 1) : null,
            health.LagBytes,
            Math.Round(health.Latency.TotalMilliseconds, 2),
            Rounded(DurationHistogram.Percentile(_percentiles.Host(name), 0.95)),
            health.Error,
            topology.Find(pools.Host)?.Answer?.MaxConnections ?? 0,
            [.. pools.All.Select(pool => pool.Commands)],
            [.. from pool in pools.All
                let source = pool.Source
                where source.Limit > 0
                select new PoolStatus(pool.Plan.Name, pool.Busy, source.Idle, pool.Waiting, source.Limit)]);
    }

    private RouteStatus StatusOf(RoutePlan route, List<HostPools> hosts)
    {
        var counts = _percentiles.Route(route.Name);
        long commands = 0;
        foreach (var count in counts) commands += count;
        return new RouteStatus(
            route.Name, commands,
            Rounded(DurationHistogram.Percentile(counts, 0.5)), Rounded(DurationHistogram.Percentile(counts, 0.95)), Rounded(DurationHistogram.Percentile(counts, 0.99)),
            hosts.Sum(host => host.All[route.Index].Failed));
    }

    // The histogram is accurate to two digits at most.
    private static double? Rounded(double? milliseconds) => milliseconds is { } known ? Math.Round(known, known < 1 ? 2 : known < 10 ? 1 : 0) : null;

    private static bool Answers(HostState state) =>
        state is not (HostState.Unknown or HostState.Down or HostState.Hung or HostState.Restarting or HostState.Misconfigured);

    // A new host has no rate yet.
    private double[] RatesOf(HostStatus host, double seconds) => seconds > 0 && _counts.TryGetValue(host.Name, out var before)
        ? [.. host.Commands.Zip(before, (now, then) => Math.Round(Math.Max(0, now - then) / seconds, 1))]
        : new double[host.Commands.Length];
}
