using System.Diagnostics;
using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>A replica fails under load, in every known way.</summary>
[Trait("PostgreSQL", "any")]
public class ReplicaFailureTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The longest that a hung host can delay an operation: a fraction of any time-out, with a margin for a busy machine.</summary>
    private static readonly TimeSpan MoveBound = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task A_killed_replica_fails_no_read_and_regains_its_load_gradually_S1_T3_T12_H8()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background", "replica-3");
        await using var router = await cluster.HealthyRouterAsync();
        await using var load = FailureLoad.OfReads(cluster, router);
        await cluster["background"].KillAsync(Ct);
        await Eventually.Async(() => !router.GetHealthStatus()["background"].IsHealthy, TimeSpan.FromSeconds(3), "found out");
        var outAt = TimeProvider.System.GetTimestamp();
        await cluster["background"].StartAsync(Ct);
        var startedAt = TimeProvider.System.GetTimestamp();
        await Eventually.Async(() => router.GetHealthStatus()["background"].IsHealthy, TimeSpan.FromSeconds(5), "back");
        var backAt = TimeProvider.System.GetTimestamp();
        await Eventually.Async(() => TimeProvider.System.GetElapsedTime(backAt) > TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(10), "warm");

        var reads = await load.StopAsync();
        Assert.Null(reads.Find(read => read.Error is not null)?.Error);
        Assert.DoesNotContain(reads, read => read.Server == "background" && read.StartedAt > outAt && read.StartedAt < startedAt);
        Assert.True(reads.Max(read => read.Duration) < MoveBound);
        Assert.True(Share(reads, backAt, 0, 2) < Share(reads, backAt, 6, 8), "the load rises");
        Assert.InRange(Share(reads, backAt, 0, 2), 0.001, 0.25);
        Assert.Contains(router.GetMetrics().Transitions, t => t is { Host: "background", State: HostState.Down or HostState.Restarting });
    }

    private static double Share(List<LoadedOperation> reads, long since, double from, double to)
    {
        var during = reads.Where(read => TimeProvider.System.GetElapsedTime(since, read.StartedAt).TotalSeconds is var at && at >= from && at < to).ToList();
        return during.Count(read => read.Server == "background") / (double)during.Count;
    }

    [Fact]
    public async Task A_hung_replica_is_found_at_once_and_reads_are_moved_off_it_S5_H7_H16_T15()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background", "replica-3");
        await using var router = await cluster.HealthyRouterAsync();
        await using var load = FailureLoad.OfReads(cluster, router);
        // Warm up, so that reads are in flight on the server when it hangs, and not just logins, which are simply tried elsewhere.
        await Eventually.Async(() => router.GetMetrics().QueriesByHost.TryGetValue("background", out var served) && served.GetValueOrDefault("read") > 100, TimeSpan.FromSeconds(10), "warm");
        // It must be serving right now: a replica that was slower for a moment can be out of rotation, and then no read waits for it.
        await Eventually.Async(async () =>
        {
            var before = router.GetMetrics().QueriesByHost["background"]["read"];
            await Task.Delay(20, Ct);
            return router.GetMetrics().QueriesByHost["background"]["read"] > before + 4;
        }, TimeSpan.FromSeconds(10), "at work");
        cluster["background"].Suspend();
        var found = await router.ReachesAsync("background", HostState.Hung, 3);
        await Task.Delay(3000, Ct);
        cluster["background"].Resume();
        await Eventually.Async(() => router.GetHealthStatus()["background"].IsHealthy, TimeSpan.FromSeconds(5), "back");

        var reads = await load.StopAsync();
        Assert.Null(reads.Find(read => read.Error is not null)?.Error);
        Assert.True(reads.Max(read => read.Duration) < MoveBound, $"the longest read took {reads.Max(read => read.Duration)}; found after {found}");
        Assert.True(router.GetMetrics().Recovery.Moved > 0);
        await Eventually.Async(() => router.GetHealthStatus()["background"].ConnectionsInUse == 0, TimeSpan.FromSeconds(20), "nothing is left in use there");
    }

    [Fact]
    public async Task When_only_the_postmaster_hangs_open_connections_serve_and_no_read_waits_S4()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var router = await cluster.HealthyRouterAsync();
        // Open one connection, and leave it idle.
        Assert.Equal("analytics", await cluster.WhoAsync(router, DatabaseOperation.Analytics));
        cluster["analytics"].SuspendPostmaster();
        try
        {
            // More reads at once than there are open connections: one is served there, the others elsewhere.
            await Eventually.Async(async () =>
            {
                await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => router.ExecuteAsync(DatabaseOperation.Analytics, (connection, ct) => connection.ExecuteAsync("SELECT pg_sleep(0.01)"), Ct)));
                return router.GetHealthStatus()["analytics"].State == HostState.NoLogins;
            }, TimeSpan.FromSeconds(10), "logins found to hang");

            var servers = new List<string>();
            for (var i = 0; i < 10; i++)
            {
                var startedAt = TimeProvider.System.GetTimestamp();
                servers.AddRange(await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => router.ExecuteAsync(DatabaseOperation.Analytics, async (connection, _) =>
                {
                    await connection.ExecuteAsync("SELECT pg_sleep(0.01)");
                    return await cluster.WhoAsync(connection);
                }, Ct))));
                Assert.True(TimeProvider.System.GetElapsedTime(startedAt) < TimeSpan.FromSeconds(2), "no read waits for a login");
            }

            Assert.Contains("analytics", servers);
            Assert.Contains("background", servers);
            Assert.True(router.GetHealthStatus()["analytics"].IsHealthy);
        }
        finally
        {
            cluster["analytics"].ResumePostmaster();
        }

        await router.ReachesAsync("analytics", HostState.Healthy);
    }

    [Fact]
    public async Task Reads_leave_black_holed_replicas_and_in_the_end_reach_the_primary_S6_S8_H6()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var analytics = FaultProxy.Start("127.0.0.1", cluster["analytics"].Port);
        await using var background = FaultProxy.Start("127.0.0.1", cluster["background"].Port);
        await using var router = await cluster.HealthyRouterAsync(options =>
        {
            options.PrimaryProtection.MaxConcurrentReads = 3;
            Through(options, "analytics", analytics);
            Through(options, "background", background);
        });
        await using var load = FailureLoad.OfReads(cluster, router);
        await Eventually.Async(() => router.GetMetrics().QueriesRouted[DatabaseOperation.Read] > 50, TimeSpan.FromSeconds(10), "warm");
        background.Silence();
        await router.ReachesAsync("background", HostState.Hung, 5);
        analytics.Silence();
        await router.ReachesAsync("analytics", HostState.Hung, 5);
        var alone = TimeProvider.System.GetTimestamp();
        await Eventually.Async(() => TimeProvider.System.GetElapsedTime(alone) > TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), "a while");
        analytics.Heal();
        background.Heal();
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all back");

        var reads = await load.StopAsync();
        Assert.Null(reads.Find(read => read.Error is not null)?.Error);
        Assert.Contains(reads, read => read.Server == "primary");
        Assert.True(reads.Max(read => read.Duration) < MoveBound, $"the longest read took {reads.Max(read => read.Duration)}");
    }

    private static void Through(DatabaseRouterOptions options, string host, FaultProxy proxy) =>
        options.Hosts[host].ConnectionString = new NpgsqlConnectionStringBuilder(ConnectionStringParser.Parse(options.Hosts[host].ConnectionString)[0].ConnectionString) { Port = proxy.Port }.ConnectionString;

    [Fact]
    public async Task A_read_moves_each_time_its_host_is_lost()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background", "replica-3");
        await using var router = await cluster.HealthyRouterAsync();
        var runs = new List<string>();
        var served = await router.ExecuteAsync(DatabaseOperation.Read, async (connection, ct) =>
        {
            var server = await cluster.WhoAsync(connection);
            runs.Add(server);
            if (server == "primary") return server;
            cluster[server].Suspend();
            await connection.ExecuteAsync(new CommandDefinition("SELECT 1", cancellationToken: ct));
            return server;
        }, Ct).WaitAsync(TimeSpan.FromSeconds(20), Ct);
        foreach (var replica in runs.Where(server => server != "primary")) cluster[replica].Resume();
        Assert.Equal("primary", served);
        Assert.Equal(4, runs.Count);
    }

    /// <summary>As when a machine is lost and its network or a firewall answers for it: new connections are refused, and open ones fall silent.</summary>
    [Fact]
    public async Task Reads_in_flight_move_off_a_silent_replica_that_refuses_new_connections_S6()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var proxy = FaultProxy.Start("127.0.0.1", cluster["analytics"].Port);
        await using var router = await cluster.HealthyRouterAsync(options => Through(options, "analytics", proxy));
        var started = new TaskCompletionSource();
        var read = router.ExecuteAsync(DatabaseOperation.Analytics, async (connection, ct) =>
        {
            var server = await cluster.WhoAsync(connection);
            if (server != "analytics") return server;
            started.TrySetResult();
            await connection.ExecuteAsync(new CommandDefinition("SELECT pg_sleep(60)", cancellationToken: ct));
            return server;
        }, Ct);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(10), Ct);
        proxy.Silence();
        proxy.Refuse();
        Assert.NotEqual("analytics", await read.WaitAsync(TimeSpan.FromSeconds(10), Ct));
    }

    [Fact]
    public async Task A_full_replica_is_saturated_and_not_dead_S17_T10_H49()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var router = await cluster.HealthyRouterAsync();
        await using var held = await router.OpenConnectionAsync(DatabaseOperation.Analytics, Ct);
        Assert.Equal("analytics", await cluster.WhoAsync(held));
        var crowd = new List<NpgsqlConnection>();
        try
        {
            await Assert.ThrowsAsync<PostgresException>(async () =>
            {
                while (true)
                {
                    var connection = new NpgsqlConnection(cluster["analytics"].ConnectionString + ";Pooling=false");
                    crowd.Add(connection);
                    await connection.OpenAsync(Ct);
                }
            });
            await Eventually.Async(async () => await cluster.WhoAsync(router, DatabaseOperation.Analytics) == "background" && router.GetHealthStatus()["analytics"].State == HostState.Full,
                TimeSpan.FromSeconds(10), "full");
            Assert.Equal("analytics", await cluster.WhoAsync(held));
            Assert.True(router.GetHealthStatus()["analytics"] is { IsHealthy: true, ReplicationLag: not null });
        }
        finally
        {
            foreach (var connection in crowd) await connection.DisposeAsync();
        }

        await router.ReachesAsync("analytics", HostState.Healthy);
        Assert.DoesNotContain(router.GetMetrics().Transitions, t => t is { Host: "analytics", State: HostState.Down or HostState.Hung });
    }

    [Fact]
    public async Task A_query_that_blocks_replay_is_retried_once_elsewhere_S13_S14_H17_H18_T16_T28()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        foreach (var name in new[] { "analytics", "background" })
        {
            await using var admin = new NpgsqlConnection(cluster[name].SuperuserConnectionString);
            await admin.ExecuteAsync("ALTER SYSTEM SET max_standby_streaming_delay = '100ms'");
            await admin.ExecuteAsync("SELECT pg_reload_conf()");
        }

        await using var router = await cluster.HealthyRouterAsync();
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("CREATE TABLE contested (n int); INSERT INTO contested VALUES (1)"), Ct);
        await cluster.WaitForReplicationAsync(Ct);
        var runs = 0;
        var error = await Assert.ThrowsAsync<PostgresException>(() => router.ExecuteAsync(DatabaseOperation.Read, async (connection, ct) =>
        {
            Interlocked.Increment(ref runs);
            // The transaction holds a lock that conflicts with the replay of the primary's next statement.
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await connection.ExecuteAsync("SELECT * FROM contested");
            await using (var primary = new NpgsqlConnection(cluster.Primary.ConnectionString)) await primary.ExecuteAsync("ALTER TABLE contested ADD COLUMN IF NOT EXISTS c int; ALTER TABLE contested DROP COLUMN c");
            return await connection.ExecuteScalarAsync<int>("SELECT 1 FROM pg_sleep(20)");
        }, Ct));
        Assert.Equal(PostgresErrorCodes.SerializationFailure, error.SqlState);
        Assert.Equal(2, runs);
        Assert.All(router.GetHealthStatus().Values, host => Assert.True(host.IsHealthy));
    }

    [Fact]
    public async Task A_slow_read_is_hedged_where_allowed_and_the_first_answer_counts_S9()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var proxy = FaultProxy.Start("127.0.0.1", cluster["background"].Port);
        await using var router = await cluster.HealthyRouterAsync(options => Through(options, "background", proxy));
        var hedged = new OperationOptions { AllowHedging = true };
        for (var i = 0; i < 200; i++) await router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => cluster.WhoAsync(connection), hedged, Ct);
        proxy.Delay(TimeSpan.FromMilliseconds(30));
        for (var i = 0; i < 100; i++) Assert.NotNull(await router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => cluster.WhoAsync(connection), hedged, Ct));
        var recovery = router.GetMetrics().Recovery;
        Assert.True(recovery.HedgesWon > 0, $"{recovery}");
        Assert.True(recovery.Hedges <= 5 + (0.05 * 300) + 1, $"{recovery}");
        Assert.DoesNotContain("primary", router.GetMetrics().QueriesByHost.Where(host => host.Value.ContainsKey("read")).Select(host => host.Key));
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.ConnectionsInUse == 0), TimeSpan.FromSeconds(10), "losers are gone");
    }

    [Fact]
    public async Task A_hedged_attempt_does_not_queue_for_a_connection()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var router = await cluster.HealthyRouterAsync(options => options.Routes["read"] = new DatabaseRouteOptions { MaxPoolSize = 1, AllowHedging = true });
        // Take the only connection of each replica and return one, so that reads have nowhere else to go.
        await using var free = await router.OpenConnectionAsync(DatabaseOperation.Read, Ct);
        await using var held = await router.OpenConnectionAsync(DatabaseOperation.Read, Ct);
        Assert.NotEqual(await cluster.WhoAsync(free), await cluster.WhoAsync(held));
        await free.CloseAsync();
        for (var i = 0; i < 20; i++) await SleepAsync(0.02);
        var before = router.GetMetrics().Recovery.Hedges;
        await SleepAsync(0.5);
        Assert.Equal(before, router.GetMetrics().Recovery.Hedges);
        await held.CloseAsync();
        await SleepAsync(0.5);
        Assert.True(router.GetMetrics().Recovery.Hedges > before);

        Task<string?> SleepAsync(double seconds) => router.ExecuteAsync(DatabaseOperation.Read,
            (connection, ct) => connection.ExecuteScalarAsync<string>(new CommandDefinition("SELECT pg_sleep(@seconds)::text", new { seconds }, cancellationToken: ct)), Ct);
    }

    [Fact]
    public async Task A_killed_backend_restarts_its_whole_server_and_fails_no_read_S3()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var router = await cluster.HealthyRouterAsync();
        await using var load = FailureLoad.OfReads(cluster, router);
        // Its connections must be in use: a small server is back within a few ms, and a router without connections there would not notice.
        await Eventually.Async(() => router.GetMetrics().QueriesByHost.TryGetValue("background", out var served) && served.GetValueOrDefault("read") > 100, TimeSpan.FromSeconds(10), "warm");
        await using (var victim = new NpgsqlConnection(cluster["background"].SuperuserConnectionString))
        {
            await victim.OpenAsync(Ct);
            using var backend = Process.GetProcessById(victim.ProcessID);
            backend.Kill();
        }

        await Eventually.Async(() => router.GetMetrics() is var metrics && (metrics.Recovery.Retries > 0 || metrics.Transitions.Any(t => t is { Host: "background", State: not HostState.Healthy })), TimeSpan.FromSeconds(5), "noticed");
        await router.ReachesAsync("background", HostState.Healthy);
        Assert.Null((await load.StopAsync()).Find(read => read.Error is not null)?.Error);
    }

    [Fact]
    public async Task A_killed_replica_breaks_only_the_connections_that_are_open_on_it()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var router = await cluster.HealthyRouterAsync();
        await using var held = await router.OpenConnectionAsync(DatabaseOperation.Background, Ct);
        Assert.Equal("background", await cluster.WhoAsync(held));
        await cluster["background"].KillAsync(Ct);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => cluster.WhoAsync(held));
        for (var i = 0; i < 50; i++)
        {
            await using var connection = await router.GetDataSource(DatabaseOperation.Background).OpenConnectionAsync(Ct);
            Assert.Equal("analytics", await cluster.WhoAsync((NpgsqlConnection)connection));
        }
    }
}
