using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>Starts clusters for failure tests, and routers that have found them healthy.</summary>
internal static class FailureCluster
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<LocalCluster> StartAsync(params string[] replicas)
    {
        var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [.. replicas.Select(name => new LocalReplicaOptions { Name = name })] }, Ct);
        await cluster.GrantMonitorAsync();
        return cluster;
    }

    /// <summary>Returns a router that has found every host healthy; servers that have just started can still be catching up.</summary>
    public static async Task<DatabaseRouter> HealthyRouterAsync(this LocalCluster cluster, Action<DatabaseRouterOptions>? configure = null)
    {
        await cluster.WaitForReplicationAsync(Ct);
        var router = cluster.Router(configure);
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all healthy");
        return router;
    }

    public static Task<TimeSpan> ReachesAsync(this DatabaseRouter router, string host, HostState state, double seconds = 10) =>
        Eventually.Async(() => router.GetHealthStatus()[host].State == state, TimeSpan.FromSeconds(seconds), $"{host} is {state}");
}
