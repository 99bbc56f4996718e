using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

/// <summary>Real faults of real servers. Each test has its own cluster.</summary>
public class FaultTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Returns a router that has found every host healthy; servers that have just started can still be catching up.</summary>
    private static async Task<DatabaseRouter> HealthyRouterAsync(LocalCluster cluster)
    {
        var router = cluster.Router();
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all healthy");
        return router;
    }

    private static Task<LocalCluster> StartAsync(params string[] replicas) =>
        LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [.. replicas.Select(name => new LocalReplicaOptions { Name = name })] }, Ct);

    [Fact]
    public async Task A_killed_replica_fails_no_read_and_serves_again_after_its_return()
    {
        await using var cluster = await StartAsync("analytics", "background");
        await using var router = await HealthyRouterAsync(cluster);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var servedByReturned = 0;
        var isBack = false;
        var load = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var count = 0;
            while (!stop.IsCancellationRequested)
            {
                var server = await cluster.WhoAsync(router, DatabaseOperation.Read);
                Assert.Contains(server, new[] { "analytics", "background" });
                if (server == "background" && Volatile.Read(ref isBack)) Interlocked.Increment(ref servedByReturned);
                count++;
                await Task.Delay(2, Ct);
            }

            return count;
        }, Ct)).ToList();

        await Task.Delay(500, Ct);
        await cluster["background"].KillAsync(Ct);
        await Eventually.Async(() => !router.GetHealthStatus()["background"].IsHealthy, TimeSpan.FromSeconds(3), "found down");
        Assert.Equal("analytics", await cluster.WhoAsync(router, DatabaseOperation.Background));
        await cluster["background"].StartAsync(Ct);
        Volatile.Write(ref isBack, true);
        await Eventually.Async(() => Volatile.Read(ref servedByReturned) > 10, TimeSpan.FromSeconds(5), "serves again");
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(load), count => Assert.True(count > 10));
        Assert.Contains(router.GetMetrics().Fallbacks, f => f.Route == "background");
    }

    [Fact]
    public async Task A_replica_with_streaming_cut_is_lagging_within_5_s_plus_one_probe_H2_T5_S12()
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await HealthyRouterAsync(cluster);
        await cluster["analytics"].CutStreamingAsync(Ct);

        var start = TimeProvider.System.GetTimestamp();
        while (router.GetHealthStatus()["analytics"].State != HostState.Lagging)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(5 + 1.5), "not found stale in time");
            await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("CREATE TABLE IF NOT EXISTS t (n int); INSERT INTO t VALUES (1)"), Ct);
            await Task.Delay(20, Ct);
        }

        Assert.Equal("primary", await cluster.WhoAsync(router, DatabaseOperation.Read));
        Assert.True(router.GetHealthStatus()["analytics"].ReplicationLag > TimeSpan.FromSeconds(5));
        await cluster["analytics"].RestoreStreamingAsync(Ct);
        await Eventually.Async(() => router.GetHealthStatus()["analytics"].IsHealthy, TimeSpan.FromSeconds(15), "caught up");
        Assert.Equal("analytics", await cluster.WhoAsync(router, DatabaseOperation.Read));
    }

    [Fact]
    public async Task A_returning_old_primary_is_fenced_and_serves_reads_once_it_is_a_standby_T14_S25()
    {
        await using var cluster = await StartAsync("analytics", "dr");
        await using var router = await HealthyRouterAsync(cluster);
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("CREATE TABLE t (n int)"), Ct);

        await cluster["primary"].KillAsync(Ct);
        await Eventually.Async(() => !router.GetHealthStatus()["primary"].IsHealthy, TimeSpan.FromSeconds(3), "loss seen");
        Assert.Equal("analytics", await cluster.WhoAsync(router, DatabaseOperation.Read));
        var write = router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => cluster.WhoAsync(connection), Ct);
        await cluster.PromoteAsync("dr", cancellationToken: Ct);
        Assert.Equal("dr", await write);
        Assert.Equal(1, router.GetMetrics().Failovers);
        Assert.Equal((HostRole.Primary, (int?)2), (router.GetHealthStatus()["dr"].Role, router.GetHealthStatus()["dr"].Timeline));

        await cluster["primary"].StartAsync(Ct);
        await Eventually.Async(() => router.GetHealthStatus()["primary"].State == HostState.Fenced, TimeSpan.FromSeconds(5), "fenced");
        for (var i = 0; i < 20; i++) Assert.Equal("dr", await cluster.WhoAsync(router, DatabaseOperation.Write));

        await cluster.RejoinAsync("primary", Ct);
        await Eventually.Async(() => router.GetHealthStatus()["primary"] is { IsHealthy: true, Role: HostRole.Replica }, TimeSpan.FromSeconds(10), "a standby again");
        await router.DrainAsync("analytics", Ct);
        Assert.Equal("primary", await cluster.WhoAsync(router, DatabaseOperation.Read));
        Assert.Equal(1, router.GetMetrics().Failovers);
    }

    [Fact]
    public async Task A_router_that_starts_before_its_servers_serves_once_they_are_up_H43()
    {
        await using var cluster = await StartAsync("analytics");
        await cluster["primary"].StopAsync(StopMode.Immediate, Ct);
        await cluster["analytics"].StopAsync(StopMode.Immediate, Ct);
        await using var router = cluster.Router();
        var write = router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => cluster.WhoAsync(connection), Ct);
        await cluster["primary"].StartAsync(Ct);
        Assert.Equal("primary", await write);
        await cluster["analytics"].StartAsync(Ct);
        await Eventually.Async(() => router.GetHealthStatus()["analytics"].IsHealthy, TimeSpan.FromSeconds(5), "replica found");
        Assert.Equal("analytics", await cluster.WhoAsync(router, DatabaseOperation.Read));
    }

    [Fact]
    public async Task A_deadline_or_cancellation_during_a_login_is_not_a_failure_of_the_host()
    {
        await using var cluster = await StartAsync();
        await using var proxy = FaultProxy.Start("127.0.0.1", cluster.Primary.Port);
        var options = new DatabaseRouterOptions { Health = { Interval = TimeSpan.FromSeconds(30), Timeout = TimeSpan.FromSeconds(30) }, MaxLag = TimeSpan.FromMinutes(10) };
        options.Hosts["primary"] = new DatabaseHostOptions
        {
            ConnectionString = new NpgsqlConnectionStringBuilder(cluster.Primary.ConnectionString) { Port = proxy.Port }.ConnectionString,
        };
        await using var router = DatabaseRouter.Create(options);
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);

        // A login takes about six round trips. It must outlast all attempts below, because an abandoned login goes on and serves the next caller.
        proxy.Delay(TimeSpan.FromMilliseconds(25));
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<TimeoutException>(async () =>
                await router.OpenConnectionAsync(DatabaseOperation.Write, new OperationOptions { Deadline = TimeSpan.FromMilliseconds(20) }, Ct));
            using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await router.OpenConnectionAsync(DatabaseOperation.Write, cancel.Token));
        }

        Assert.Equal(HostState.Healthy, router.GetHealthStatus()["primary"].State);
        proxy.Heal();
        Assert.Equal("primary", await cluster.WhoAsync(router, DatabaseOperation.Write));
        await Eventually.Async(() => router.GetHealthStatus()["primary"].ConnectionsInUse == 0, TimeSpan.FromSeconds(10), "abandoned logins are no longer counted");
    }

    [Fact]
    public async Task Paused_replay_makes_a_replica_lag_and_resumed_replay_brings_it_back_S11()
    {
        await using var cluster = await StartAsync("analytics", "background");
        await using var router = cluster.Router(o =>
        {
            o.Health.Interval = TimeSpan.FromMilliseconds(200);
            o.MaxLag = TimeSpan.FromSeconds(1);
        });
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("CREATE TABLE t (n int)"), Ct);
        // A replica that is paused before it has replayed any position known to the router has an unknown lag until it resumes.
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all healthy");
        await cluster["background"].PauseReplayAsync(Ct);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var writes = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("INSERT INTO t VALUES (1)"), Ct);
                await Task.Delay(10, Ct);
            }
        }, Ct);
        await Eventually.Async(() => router.GetHealthStatus()["background"].State == HostState.Lagging, TimeSpan.FromSeconds(5), "lagging");
        for (var i = 0; i < 20; i++) Assert.Equal("analytics", await cluster.WhoAsync(router, DatabaseOperation.Read));
        await cluster["background"].ResumeReplayAsync(Ct);
        await Eventually.Async(() => router.GetHealthStatus()["background"].State == HostState.Healthy, TimeSpan.FromSeconds(5), "caught up");
        await stop.CancelAsync();
        await writes;
    }
}
