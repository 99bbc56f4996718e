using Dapper;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

/// <summary>What sessions promise, on real servers. Each test has its own cluster, whose replicas it can pause, kill and promote.</summary>
public partial class SessionTests
{
    private const string Value = "SELECT coalesce((SELECT max(value) FROM note), 0)";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static async Task<LocalCluster> StartAsync(params string[] replicas)
    {
        var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [.. replicas.Select(name => new LocalReplicaOptions { Name = name })] }, Ct);
        await cluster.GrantMonitorAsync();
        await using (var connection = new NpgsqlConnection(cluster.Primary.ConnectionString)) await connection.ExecuteAsync("CREATE TABLE note (value int)");
        await cluster.WaitForReplicationAsync(Ct);
        return cluster;
    }

    private static async Task<DatabaseRouter> RouterAsync(LocalCluster cluster, Action<DatabaseRouterOptions>? configure = null)
    {
        var router = cluster.Router(configure);
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all healthy");
        return router;
    }

    private static Task<int> WriteAsync(DatabaseRouter router, int value, OperationOptions? options = null) =>
        router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("INSERT INTO note VALUES (@value)", new { value }), options, Ct);

    private static Task<(int Value, string Server)> ReadAsync(LocalCluster cluster, DatabaseRouter router, OperationOptions? options = null) =>
        router.ExecuteAsync(DatabaseOperation.Read, async (connection, _) => (await connection.ExecuteScalarAsync<int>(Value), await cluster.WhoAsync(connection)), options, Ct);

    private static async Task AssertReplicaShowsSoonAsync(LocalCluster cluster, DatabaseRouter router, int value)
    {
        var start = TimeProvider.System.GetTimestamp();
        Assert.Equal((value, "analytics"), await ReadAsync(cluster, router));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0, 5);
    }

    /// <summary>Configures how long a read waits for a replica to catch up before the primary serves it.</summary>
    private static Action<DatabaseRouterOptions> Patience(double seconds) =>
        options => options.Routes["read"] = new DatabaseRouteOptions { CatchUpWait = TimeSpan.FromSeconds(seconds) };

    private static async Task PauseAllAsync(LocalCluster cluster)
    {
        foreach (var server in cluster.Servers.Where(server => server != cluster.Primary)) await server.PauseReplayAsync(Ct);
    }

    [Fact]
    public async Task With_replay_paused_a_session_sees_its_write_and_others_do_not_I1_H48()
    {
        await using var cluster = await StartAsync("analytics", "background");
        await using var router = await RouterAsync(cluster);
        await PauseAllAsync(cluster);
        using (router.BeginSession())
        {
            await WriteAsync(router, 7);
            Assert.Equal((7, "primary"), await ReadAsync(cluster, router));
            Assert.Equal((7, "primary"), await ReadAsync(cluster, router, new OperationOptions { Consistency = Consistency.Strong }));
            Assert.Equal(0, (await ReadAsync(cluster, router, new OperationOptions { Consistency = Consistency.Eventual })).Value);
        }

        Assert.Equal(0, (await ReadAsync(cluster, router)).Value);
        foreach (var server in cluster.Servers.Skip(1)) await server.ResumeReplayAsync(Ct);
    }

    [Fact]
    public async Task A_token_carries_a_session_to_another_process_H20()
    {
        await using var cluster = await StartAsync("analytics", "background");
        await using var sender = await RouterAsync(cluster);
        await using var handler = await RouterAsync(cluster);
        await PauseAllAsync(cluster);
        string token;
        using (var session = sender.BeginSession())
        {
            await WriteAsync(sender, 7);
            token = await session.GetTokenAsync(Ct);
        }

        Assert.Equal(0, (await ReadAsync(cluster, handler)).Value);
        using (handler.BeginSession(token)) Assert.Equal((7, "primary"), await ReadAsync(cluster, handler));
        Assert.Equal((7, "primary"), await ReadAsync(cluster, handler, new OperationOptions { SessionToken = token }));

        // Once the replicas have caught up, they serve reads with the token again.
        foreach (var server in cluster.Servers.Skip(1)) await server.ResumeReplayAsync(Ct);
        await cluster.WaitForReplicationAsync(Ct);
        await Eventually.Async(async () =>
        {
            using var session = handler.BeginSession(token);
            var (value, server) = await ReadAsync(cluster, handler);
            Assert.Equal(7, value);
            return server != "primary";
        }, TimeSpan.FromSeconds(5), "served by a replica");
    }

    [Fact]
    public async Task A_read_waits_for_a_replica_that_lags_less_than_CatchUpWait()
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await RouterAsync(cluster, Patience(seconds: 5));
        await cluster["analytics"].SetApplyDelayAsync(TimeSpan.FromMilliseconds(300), Ct);
        for (var i = 1; i <= 5; i++)
        {
            using var session = router.BeginSession();
            await WriteAsync(router, i);
            Assert.Equal((i, "analytics"), await ReadAsync(cluster, router));
        }

        Assert.True(router.GetMetrics().Sessions.CatchUpWaits > 0);
    }

    [Fact]
    public async Task A_replica_20_ms_behind_serves_reads_after_writes_with_the_default_settings()
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await RouterAsync(cluster);
        await cluster["analytics"].SetApplyDelayAsync(TimeSpan.FromMilliseconds(20), Ct);
        var onReplica = 0;
        for (var i = 1; i <= 50; i++)
        {
            using var session = router.BeginSession();
            await WriteAsync(router, i);
            var (value, server) = await ReadAsync(cluster, router);
            Assert.Equal(i, value);
            if (server == "analytics") onReplica++;
        }

        Assert.InRange(onReplica, 40, 50);
    }

    [Fact]
    public async Task A_read_does_not_wait_for_a_replica_that_lags_more_than_CatchUpWait()
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await RouterAsync(cluster, Patience(seconds: 1));
        await PauseAllAsync(cluster);
        var value = 0;
        async Task<bool> WaitsAsync()
        {
            var before = router.GetMetrics().Sessions.CatchUpWaits;
            using var session = router.BeginSession();
            await WriteAsync(router, ++value);
            Assert.Equal((value, "primary"), await ReadAsync(cluster, router));
            return router.GetMetrics().Sessions.CatchUpWaits > before;
        }

        // The first read can't know that replay is paused.
        Assert.True(await WaitsAsync());
        await Eventually.Async(async () => !await WaitsAsync(), TimeSpan.FromSeconds(10), "known to lag by more");
        for (var i = 0; i < 10; i++) Assert.False(await WaitsAsync());
        await cluster["analytics"].ResumeReplayAsync(Ct);
    }

    [Fact]
    public async Task A_thousand_reads_waiting_for_a_standby_open_no_connections_of_their_own()
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await RouterAsync(cluster, options => options.Routes["read"] = new DatabaseRouteOptions
        {
            CatchUpWait = TimeSpan.FromSeconds(30),
            Wait = TimeSpan.FromSeconds(30),
        });
        await using var standby = new NpgsqlConnection(cluster["analytics"].SuperuserConnectionString);
        await standby.OpenAsync(Ct);
        Task<long> CountAsync() => standby.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'");
        await PauseAllAsync(cluster);
        string token;
        using (var session = router.BeginSession())
        {
            await WriteAsync(router, 7);
            token = await session.GetTokenAsync(Ct);
        }

        var before = await CountAsync();
        List<Task<(int Value, string Server)>> reads = [.. Enumerable.Range(0, 1000).Select(_ => ReadAsync(cluster, router, new OperationOptions { SessionToken = token }))];
        await Eventually.Async(() => router.GetMetrics().Sessions.CatchUpWaits >= 1000, TimeSpan.FromSeconds(10), "all wait");
        // One more if the router happens to check with a new login that the host accepts connections.
        Assert.InRange(await CountAsync(), 1, before + 1);
        Assert.DoesNotContain(reads, read => read.IsCompleted);
        await cluster["analytics"].ResumeReplayAsync(Ct);
        Assert.All(await Task.WhenAll(reads), read => Assert.Equal((7, "analytics"), read));
    }

    /// <summary>Covers every way to write through a router.</summary>
    [Fact]
    public async Task Writes_on_raw_connections_in_transactions_and_by_data_source_bind_the_session()
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await RouterAsync(cluster);
        await PauseAllAsync(cluster);
        async Task CheckAsync(int value, Func<string, Task> write)
        {
            using var session = router.BeginSession();
            await write($"INSERT INTO note VALUES ({value})");
            Assert.Equal(value, (await ReadAsync(cluster, router)).Value);
        }

        await CheckAsync(1, async sql =>
        {
            await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Write, Ct);
            await connection.ExecuteAsync(sql);
        });
        await CheckAsync(2, sql =>
        {
            using var connection = router.OpenConnection(DatabaseOperation.Transactional);
            return Task.FromResult(connection.Execute(sql));
        });
        await CheckAsync(3, sql => router.WithTransactionAsync((transaction, _) => transaction.Connection!.ExecuteAsync(sql), Ct));
        await CheckAsync(4, async sql =>
        {
            await using var connection = await router.GetDataSource(DatabaseOperation.Write).OpenConnectionAsync(Ct);
            await connection.ExecuteAsync(sql);
        });
        await CheckAsync(5, async sql =>
        {
            await using var connection = router.GetDataSource(DatabaseOperation.Write).CreateConnection();
            await connection.ExecuteAsync(sql);
        });
        await CheckAsync(6, async sql =>
        {
            await using var command = router.GetClient(DatabaseOperation.Write).CreateCommand(sql);
            await command.ExecuteNonQueryAsync(Ct);
        });
    }

    [Fact]
    public async Task A_connection_that_stays_open_binds_the_session_by_each_of_its_writes()
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await RouterAsync(cluster);
        await PauseAllAsync(cluster);
        using var session = router.BeginSession();
        await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Write, Ct);
        for (var value = 1; value < 4; value++)
        {
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            await connection.ExecuteAsync("INSERT INTO note VALUES (@value)", new { value });
            Assert.Equal(value - 1, (await ReadAsync(cluster, router, new OperationOptions { Consistency = Consistency.Strong })).Value);
            await transaction.CommitAsync(Ct);
            Assert.Equal(value, (await ReadAsync(cluster, router)).Value);
        }
    }
}
