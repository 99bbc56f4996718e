using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

/// <summary>A minute without a write. Alone in its class, so that other tests run in the meantime.</summary>
[Trait("PostgreSQL", "any")]
public class IdlePrimaryTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_primary_idle_for_a_minute_leaves_the_lag_at_0_and_the_replica_in_rotation_H1()
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new LocalReplicaOptions { Name = "analytics" }] }, Ct);
        await using var router = await cluster.HealthyRouterAsync();
        await cluster.WaitForReplicationAsync(Ct);
        await Eventually.Async(() => router.GetHealthStatus()["analytics"].ReplicationLag == TimeSpan.Zero, TimeSpan.FromSeconds(5), "lag 0");
        var start = TimeProvider.System.GetTimestamp();
        for (var last = start; TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60); await Task.Delay(200, Ct))
        {
            // If the machine stalled, the last observation is too old: wait for the next one.
            var stoodStill = TimeProvider.System.GetElapsedTime(last) > TimeSpan.FromSeconds(1);
            if (stoodStill) await Eventually.Async(() => router.GetHealthStatus()["analytics"].IsHealthy, TimeSpan.FromSeconds(5), "probed again");
            last = TimeProvider.System.GetTimestamp();
            var health = router.GetHealthStatus()["analytics"];
            Assert.True(health is { State: HostState.Healthy, ReplicationLag.Ticks: 0 }, $"{health}");
            Assert.Equal("analytics", await cluster.WhoAsync(router, DatabaseOperation.Read));
        }
    }
}
