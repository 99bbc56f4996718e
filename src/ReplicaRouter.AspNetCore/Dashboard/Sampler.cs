namespace ReplicaRouter.Dashboard;

/// <summary>Looks at the router: how it stands, and a point for the charts. One call at a time.</summary>
internal sealed class Sampler(DatabaseRouter router, TimeProvider time)
{
    private Dictionary<string, long[]> _counts = [];
    private long _countedAt = time.GetTimestamp();

    public string[] Routes { get; } = [.. router.Routes.Select(route => route.Name)];

    public RouterStatusMessage Status()
    {
        var health = router.GetHealthStatus();
        // A host may have been added or removed since.
        var hosts = router.Pools.Where(pools => health.ContainsKey(pools.Host.Name));
        var metrics = router.GetMetrics();
        var topology = router.Topology;
        return new RouterStatusMessage(
            time.GetUtcNow().ToUnixTimeMilliseconds(),
            topology.Primary?.Name,
            topology.Timeline,
            topology.ForcedToPrimaryUntil == 0 ? 0 : Math.Max(0, (long)time.GetElapsedTime(time.GetTimestamp(), topology.ForcedToPrimaryUntil).TotalMilliseconds),
            metrics.Failovers,
            [.. hosts.Select(pools => StatusOf(pools, health[pools.Host.Name], metrics))],
            [.. metrics.Fallbacks],
            metrics.Recovery,
            metrics.Sessions);
    }

    public HistoryPoint Point(RouterStatusMessage status)
    {
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

    private static HostStatus StatusOf(HostPools pools, HostHealth health, RouterMetrics metrics)
    {
        var name = pools.Host.Name;
        return new HostStatus(
            name, health.Role, health.State, health.IsHealthy, health.IsDrained, health.Timeline,
            health.ReplicationLagMs is { } lag ? Math.Round(lag, 1) : null,
            health.LagBytes,
            Math.Round(health.LatencyMs, 2),
            metrics.AverageLatency.TryGetValue(name, out var average) ? Math.Round(average, 2) : null,
            health.Error,
            [.. pools.All.Select(pool => pool.Commands)],
            [.. pools.All.Where(pool => pool.Limit > 0).Select(pool => new PoolStatus(pool.Plan.Name, pool.Busy, pool.Idle, pool.Limit))]);
    }

    private static bool Answers(HostState state) =>
        state is not (HostState.Unknown or HostState.Down or HostState.Hung or HostState.Restarting or HostState.Misconfigured);

    // Of a host that was not there before, there is no rate yet.
    private double[] RatesOf(HostStatus host, double seconds) => seconds > 0 && _counts.TryGetValue(host.Name, out var before)
        ? [.. host.Commands.Zip(before, (now, then) => Math.Round(Math.Max(0, now - then) / seconds, 1))]
        : new double[host.Commands.Length];
}
