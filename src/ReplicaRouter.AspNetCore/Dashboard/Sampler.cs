namespace ReplicaRouter.Dashboard;

/// <summary>Looks at the router: how it stands, and a point for the charts. One call at a time.</summary>
internal sealed class Sampler(DatabaseRouter router, TimeProvider time)
{
    private long[][] _counts = CountsOf(router);
    private long _countedAt = time.GetTimestamp();

    public string[] Hosts { get; } = [.. router.Pools.Select(host => host.All[0].Host.Name)];
    public string[] Routes { get; } = [.. router.Pools[0].All.Select(pool => pool.Plan.Name)];

    public RouterStatusMessage Status()
    {
        var health = router.GetHealthStatus();
        var metrics = router.GetMetrics();
        var topology = router.Topology;
        return new RouterStatusMessage(
            time.GetUtcNow().ToUnixTimeMilliseconds(),
            topology.Primary?.Name,
            topology.Timeline,
            topology.ForcedToPrimaryUntil == 0 ? 0 : Math.Max(0, (long)time.GetElapsedTime(time.GetTimestamp(), topology.ForcedToPrimaryUntil).TotalMilliseconds),
            metrics.Failovers,
            [.. router.Pools.Select(pools => StatusOf(pools, health[pools.All[0].Host.Name], metrics))],
            [.. metrics.Fallbacks],
            metrics.Recovery,
            metrics.Sessions);
    }

    public HistoryPoint Point(RouterStatusMessage status)
    {
        var counts = CountsOf(router);
        var now = time.GetTimestamp();
        var seconds = time.GetElapsedTime(_countedAt, now).TotalSeconds;
        double[][] rates = [.. counts.Zip(_counts, (after, before) => after.Zip(before, (a, b) => seconds <= 0 ? 0 : Math.Round((a - b) / seconds, 1)).ToArray())];
        (_counts, _countedAt) = (counts, now);
        return new HistoryPoint(
            status.At,
            [.. status.Hosts.Select(host => host.LagMs)],
            [.. status.Hosts.Select(host => Answers(host.State) ? host.LatencyMs : (double?)null)],
            rates);
    }

    private static HostStatus StatusOf(HostPools pools, HostHealth health, RouterMetrics metrics)
    {
        var name = pools.All[0].Host.Name;
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

    private static long[][] CountsOf(DatabaseRouter router) => [.. router.Pools.Select(pools => pools.All.Select(pool => pool.Commands).ToArray())];
}
