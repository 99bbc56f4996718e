using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>A standby that accepts no connections says why.</summary>
public class HotStandbyOffTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Failure", "D")]
    public async Task A_standby_with_hot_standby_off_shows_the_servers_reason()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics");
        await using var router = await cluster.HealthyRouterAsync();
        await cluster["analytics"].StopAsync(cancellationToken: Ct);
        await File.AppendAllTextAsync(Path.Combine(cluster["analytics"].DataDirectory, "postgresql.auto.conf"), "hot_standby = off\n", Ct);
        // The start waits until the server accepts connections, which it never does.
        using var start = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var starting = cluster["analytics"].StartAsync(start.Token);
        await Eventually.Async(
            () => router.GetHealthStatus()["analytics"] is { State: HostState.Restarting, Error: { } error } && error.Contains("Hot standby mode is disabled", StringComparison.Ordinal),
            TimeSpan.FromSeconds(15), "shows the reason");
        await start.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => starting);
    }
}
