using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

/// <summary>The router over PgBouncers in transaction pooling mode, which answer logins themselves and report a lost server with error texts of their own.</summary>
[Trait("PostgreSQL", "any")]
[Collection(QuietMachine.Name)]
public class PgBouncerTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static Task<PooledCluster> StartAsync(params string[] replicas) => PooledCluster.StartAsync(Options(replicas), Ct);

    private static LocalClusterOptions Options(string[] replicas) => new() { Replicas = [.. replicas.Select(name => new LocalReplicaOptions { Name = name })] };

    private static async Task<DatabaseRouter> HealthyRouterAsync(PooledCluster cluster)
    {
        var router = cluster.Router();
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all healthy");
        return router;
    }

    [Fact]
    public async Task Replicas_serve_reads_the_primary_serves_writes_and_the_lag_is_known()
    {
        await using var cluster = await StartAsync("analytics", "background");
        await using var router = await HealthyRouterAsync(cluster);
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("CREATE TABLE t (n int); INSERT INTO t VALUES (7)"), Ct);
        for (var i = 0; i < 50; i++)
        {
            Assert.Contains(await cluster.Servers.WhoAsync(router, DatabaseOperation.Read), new[] { "analytics", "background" });
            Assert.Equal("primary", await cluster.Servers.WhoAsync(router, DatabaseOperation.Write));
        }

        await Eventually.Async(() => router.GetHealthStatus().Values.Where(host => host.Role == HostRole.Replica).All(host => host.ReplicationLag == TimeSpan.Zero), TimeSpan.FromSeconds(5), "lag 0");
        Assert.All(router.GetHealthStatus().Values, host => Assert.Equal((HostState.Healthy, null), (host.State, host.Error)));
    }

    [Fact]
    public async Task A_session_reads_its_own_writes()
    {
        await using var cluster = await StartAsync("analytics", "background");
        await using var router = await HealthyRouterAsync(cluster);
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("CREATE TABLE t (n int); INSERT INTO t VALUES (0)"), Ct);
        using var session = router.BeginSession();
        for (var i = 1; i <= 100; i++)
        {
            await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("UPDATE t SET n = @i", new { i }), Ct);
            Assert.Equal(i, await router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteScalarAsync<int>("SELECT n FROM t"), Ct));
        }
    }

    [Fact]
    public async Task A_replica_killed_behind_its_pooler_fails_no_read_and_serves_again_on_return()
    {
        await using var cluster = await StartAsync("analytics", "background");
        await using var router = await HealthyRouterAsync(cluster);
        await using var reads = new ReadLoad(cluster.Servers, router, workers: 4);
        await Eventually.Async(() => reads.CountOf("background") > 100, TimeSpan.FromSeconds(5), "serves");

        await cluster.Servers["background"].KillAsync(Ct);
        await Eventually.Async(() => !router.GetHealthStatus()["background"].IsHealthy, TimeSpan.FromSeconds(3), "found down");
        Assert.Equal("analytics", await cluster.Servers.WhoAsync(router, DatabaseOperation.Background));
        await cluster.Servers["background"].StartAsync(Ct);
        var before = reads.CountOf("background");
        // PgBouncer retries its server after server_login_retry, 15 s by default.
        await Eventually.Async(() => reads.CountOf("background") > before + 100, TimeSpan.FromSeconds(30), "serves again");
        Assert.Empty(await reads.StopAsync());
    }

    [Fact]
    public async Task Reads_move_within_1_second_off_a_server_that_hangs_behind_a_live_pooler()
    {
        await using var cluster = await StartAsync("analytics", "background");
        await using var router = await HealthyRouterAsync(cluster);
        await using var reads = new ReadLoad(cluster.Servers, router, workers: 4);
        await Eventually.Async(() => reads.CountOf("background") > 100, TimeSpan.FromSeconds(5), "serves");

        cluster.Servers["background"].Suspend();
        await Eventually.Async(() => router.GetHealthStatus()["background"].State == HostState.Hung, TimeSpan.FromSeconds(5), "found hung");
        var moved = reads.CountOf("analytics");
        await Eventually.Async(() => reads.CountOf("analytics") > moved + 200, TimeSpan.FromSeconds(5), "reads go on");
        cluster.Servers["background"].Resume();
        var before = reads.CountOf("background");
        await Eventually.Async(() => reads.CountOf("background") > before + 100, TimeSpan.FromSeconds(30), "serves again");
        Assert.Empty(await reads.StopAsync());
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.ConnectionsInUse == 0), TimeSpan.FromSeconds(20), "no abandoned connection is left");
        Assert.InRange(reads.Slowest, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Behind_poolers_writes_follow_a_promotion_and_none_is_lost_or_applied_twice()
    {
        await using var cluster = await PooledCluster.StartAsync(new() { Replicas = [new() { Name = "analytics", IsSynchronous = true }, new() { Name = "dr" }] }, Ct);
        await using var router = await HealthyRouterAsync(cluster);
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("CREATE TABLE written (token uuid)"), Ct);
        await using var writes = new WriteLoad(cluster.Servers, router, workers: 2);
        await Eventually.Async(() => writes.CountOf("primary") > 100, TimeSpan.FromSeconds(10), "writes");

        await cluster.Servers["primary"].KillAsync(Ct);
        await cluster.Servers.PromoteAsync("analytics", cancellationToken: Ct);
        await Eventually.Async(() => writes.CountOf("analytics") > 100, TimeSpan.FromSeconds(10), "writes follow");
        await cluster.Servers["primary"].StartAsync(Ct);
        await Eventually.Async(() => router.GetHealthStatus()["primary"].State == HostState.Fenced, TimeSpan.FromSeconds(30), "fenced");
        for (var i = 0; i < 20; i++) Assert.Equal("analytics", await cluster.Servers.WhoAsync(router, DatabaseOperation.Write));
        var failures = await writes.StopAsync();

        await using var connection = new NpgsqlConnection(cluster.Servers.Primary.ConnectionString);
        var found = (await connection.QueryAsync<(Guid Token, long Count)>("SELECT token, count(*) FROM written GROUP BY token")).ToDictionary(row => row.Token, row => row.Count);
        Assert.DoesNotContain(found.Values, count => count > 1);
        Assert.DoesNotContain(writes.Acknowledged, token => !found.ContainsKey(token));
        // A write in flight when the primary died can have been committed, so it is not retried: at most one per worker.
        Assert.All(failures, failure => Assert.IsType<TransactionOutcomeUnknownException>(failure));
        Assert.InRange(failures.Count, 0, 2);
    }

    [Fact]
    public async Task A_pooler_that_refuses_our_options_gives_one_clear_message_and_writes_go_on()
    {
        await using var cluster = await PooledCluster.StartAsync(Options(["analytics"]), Ct, ignored: "extra_float_digits");
        await using var router = cluster.Router();
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        var error = await Assert.ThrowsAsync<NoEligibleHostException>(async () => await router.OpenConnectionAsync(DatabaseOperation.Read, Ct));
        Assert.Contains("ignore_startup_parameters = options", error.Message, StringComparison.Ordinal);
        await using var reads = new ReadLoad(cluster.Servers, router, workers: 4);
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("CREATE TABLE written (token uuid)"), Ct);
        await using var writes = new WriteLoad(cluster.Servers, router, workers: 2);
        await Eventually.Async(() => writes.CountOf("primary") > 500, TimeSpan.FromSeconds(10), "writes");
        Assert.Empty(await writes.StopAsync());
        Assert.InRange(writes.Slowest, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.All(await reads.StopAsync(), failure => Assert.IsType<NoEligibleHostException>(failure));
    }
}
