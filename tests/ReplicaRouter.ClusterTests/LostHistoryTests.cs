using Dapper;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Checks.LostHistory;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

/// <summary>Whether sessions report lost history after promotions of real servers.</summary>
public class LostHistoryTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Failure", "A11")]
    public async Task Sessions_report_no_loss_in_a_healthy_cluster_or_after_a_synchronous_failover()
    {
        var report = await LostHistoryCheck.RunAsync(new LostHistoryCheckOptions { Duration = TimeSpan.FromSeconds(10) }, Ct);
        Assert.Equal((0, 0, 0), (report.WithoutFault.LostHistories, report.WithoutFault.Errors, report.WithoutFault.Violations));
        Assert.Equal((0, 0), (report.Failover!.LostHistories, report.Failover.Violations));
        Assert.InRange(report.Failover.Sessions, 100, long.MaxValue);
    }

    /// <summary>A standby is promoted and lost, then another is promoted from the same timeline: both write timeline 2.</summary>
    [Theory]
    [Trait("Failure", "A12")]
    [InlineData("analytics", "background")]     // the first promoted server was ahead of the second
    [InlineData("background", "analytics")]     // or behind it
    public async Task A_second_timeline_with_the_same_number_is_not_mistaken_for_the_first(string first, string second)
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "background" }] }, Ct);
        await cluster.GrantMonitorAsync();
        await using (var connection = new NpgsqlConnection(cluster.Primary.ConnectionString)) await connection.ExecuteAsync("CREATE TABLE note (value int)");
        await cluster.WaitForReplicationAsync(Ct);
        await using var router = cluster.Router();
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all healthy");

        await cluster["background"].CutStreamingAsync(Ct);
        await WriteAsync(router, 1);
        await cluster.WaitForReplicationOnAsync("analytics", Ct);
        await cluster.Primary.KillAsync(Ct);
        await PromoteAsync(first);
        using var session = router.BeginSession();
        await WriteAsync(router, 2);
        var token = await session.GetTokenAsync(Ct);
        Assert.False(session.HasLostHistory);

        await cluster[first].KillAsync(Ct);
        await PromoteAsync(second);
        using var elsewhere = router.CreateSession(token);
        foreach (var each in new[] { session, elsewhere })
        {
            Assert.Equal(second == "analytics" ? 1 : 0, await ReadAsync(router, each));
            Assert.True(each.HasLostHistory);
        }

        async Task PromoteAsync(string name)
        {
            await cluster.PromoteAsync(name, repointOthers: false, Ct);
            await Eventually.Async(() => router.GetHealthStatus()[name].Role == HostRole.Primary && router.Engine.Topology.Primary?.Name == name, TimeSpan.FromSeconds(10), $"{name} followed");
        }
    }

    private static Task<int> WriteAsync(DatabaseRouter router, int value) =>
        router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("INSERT INTO note VALUES (@value)", new { value }), Ct);

    private static Task<int> ReadAsync(DatabaseRouter router, DatabaseSession session) => router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteScalarAsync<int>("SELECT coalesce((SELECT max(value) FROM note), 0)"),
        new OperationOptions { Session = session }, Ct);
}
