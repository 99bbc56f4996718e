using System.Data.Common;
using Dapper;
using Npgsql;

namespace ReplicaRouter.ClusterTests;

public class RoutingTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("write", "primary")]
    [InlineData("transactional", "primary")]
    [InlineData("analytics", "analytics")]
    [InlineData("background", "background")]
    public async Task Each_operation_reaches_its_server_H19(string route, string server)
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        for (var i = 0; i < 20; i++) Assert.Equal(server, await fixture.Cluster.WhoAsync(router, route));
    }

    [Fact]
    public async Task Reads_spread_over_the_read_replicas_and_reach_neither_the_primary_nor_dr_H24()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < 400; i++)
        {
            var server = await fixture.Cluster.WhoAsync(router, DatabaseOperation.Read);
            counts[server] = counts.GetValueOrDefault(server) + 1;
        }

        Assert.Equal(["analytics", "background"], counts.Keys.Order(StringComparer.Ordinal));
        // Not half each: a replica that is slower for a while gets less.
        Assert.All(counts.Values, count => Assert.InRange(count, 40, 360));
    }

    [Fact]
    public async Task Sixty_four_concurrent_first_reads_spread_and_none_reaches_the_primary_H47_T19()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        var servers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => fixture.Cluster.WhoAsync(router, DatabaseOperation.Read), Ct)));
        // Three standard deviations of a binomial with n = 64 and p = 1/2.
        Assert.InRange(servers.Count(s => s == "analytics"), 32 - 12, 32 + 12);
        Assert.All(servers, s => Assert.Contains(s, new[] { "analytics", "background" }));
    }

    [Fact]
    public async Task With_only_a_primary_everything_goes_there_without_a_failover_or_fallback()
    {
        await using var router = DatabaseRouter.Create(fixture.Cluster.Options("primary"));
        foreach (var operation in Enum.GetValues<DatabaseOperation>()) Assert.Equal("primary", await fixture.Cluster.WhoAsync(router, operation));
        var metrics = router.GetMetrics();
        Assert.Equal(0, metrics.Failovers);
        Assert.Empty(metrics.Fallbacks);
        Assert.All(metrics.QueriesRouted.Values, count => Assert.Equal(1, count));
    }

    [Theory]
    [InlineData("read")]
    [InlineData("analytics")]
    [InlineData("background")]
    public async Task A_write_on_a_read_route_gets_the_servers_error_even_from_the_primary_H31_T17(string route)
    {
        await using var all = await fixture.Cluster.HealthyRouterAsync();
        await using var alone = DatabaseRouter.Create(fixture.Cluster.Options("primary"));
        foreach (var router in new[] { all, alone })
        {
            var error = await Assert.ThrowsAsync<PostgresException>(() =>
                router.ExecuteAsync(route, (connection, _) => connection.ExecuteAsync("INSERT INTO note (text) VALUES ('x')"), Ct));
            Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, error.SqlState);
            Assert.All(router.GetHealthStatus().Values, host => Assert.True(host.IsHealthy));
        }
    }

    [Fact]
    public async Task Every_query_counts_by_route_and_host_however_its_connection_was_opened()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        // GetClient waits only for the first probes, and this can be the process's first test, on a machine that is busy starting servers.
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(20), Ct);
        await using (var command = router.GetClient(DatabaseOperation.Analytics).CreateCommand("SELECT 1")) await command.ExecuteScalarAsync(Ct);
        await using (var connection = await router.OpenConnectionAsync(DatabaseOperation.Analytics, Ct)) await connection.ExecuteAsync("SELECT 1; SELECT 2");
        await router.ExecuteAsync(DatabaseOperation.Analytics, async (connection, _) => await connection.ExecuteScalarAsync("SELECT 1") is int, Ct);
        await using (var command = router.GetDataSource(DatabaseOperation.Analytics).CreateCommand("SELECT 1")) await command.ExecuteScalarAsync(Ct);

        var metrics = router.GetMetrics();
        Assert.Equal(4, metrics.QueriesRouted[DatabaseOperation.Analytics]);
        Assert.Equal(4, metrics.QueriesByHost["analytics"]["analytics"]);
        Assert.Equal(0, metrics.QueriesRouted[DatabaseOperation.Write]);
        Assert.InRange(metrics.AverageLatency["analytics"].TotalMilliseconds, 0.001, 1000);
        Assert.NotNull(metrics.LastHealthCheck);
    }

    [Fact]
    public async Task Connections_in_use_return_to_zero_even_when_they_break_or_are_reopened()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        int InUse() => router.GetHealthStatus()["analytics"].ConnectionsInUse;

        var connection = await router.OpenConnectionAsync(DatabaseOperation.Analytics, Ct);
        Assert.Equal(1, InUse());
        await connection.CloseAsync();
        Assert.Equal(0, InUse());
        await connection.OpenAsync(Ct);
        Assert.Equal(1, InUse());
        await using (var admin = new NpgsqlConnection(fixture.Cluster["analytics"].SuperuserConnectionString))
        {
            await admin.ExecuteAsync("SELECT pg_terminate_backend(@pid)", new { pid = connection.ProcessID });
        }

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.ExecuteAsync("SELECT 1"));
        await connection.DisposeAsync();
        await connection.DisposeAsync();
        Assert.Equal(0, InUse());

        await using (var unused = (NpgsqlConnection)router.GetDataSource(DatabaseOperation.Analytics).CreateConnection()) Assert.Equal(0, InUse());
        await Assert.ThrowsAsync<InvalidOperationException>(() => router.ExecuteAsync(DatabaseOperation.Analytics, Task<int> (_, _) => throw new InvalidOperationException(), Ct));
        Assert.Equal(0, InUse());
    }

    [Fact]
    public async Task One_terminated_backend_does_not_take_its_host_out_H49_T11()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        var result = await router.ExecuteAsync(DatabaseOperation.Analytics, async (connection, _) =>
        {
            if (await fixture.Cluster.WhoAsync(connection) == "analytics")
            {
                await using var admin = new NpgsqlConnection(fixture.Cluster["analytics"].SuperuserConnectionString);
                await admin.ExecuteAsync("SELECT pg_terminate_backend(@pid)", new { pid = connection.ProcessID });
            }

            return await fixture.Cluster.WhoAsync(connection);
        }, Ct);
        Assert.NotEqual("analytics", result);
        Assert.Equal(HostState.Healthy, router.GetHealthStatus()["analytics"].State);
        Assert.Equal("analytics", await fixture.Cluster.WhoAsync(router, DatabaseOperation.Analytics));
    }

    [Theory]
    [InlineData("XX000")]
    [InlineData("53200")]
    [InlineData("58030")]
    [InlineData("P0001")]
    [InlineData("57014")]
    public async Task A_query_error_never_takes_a_host_out_H25_S20(string sqlState)
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        var error = await Assert.ThrowsAsync<PostgresException>(() => router.ExecuteAsync(DatabaseOperation.Analytics,
            (connection, _) => connection.ExecuteAsync($"DO $$ BEGIN RAISE 'a test' USING ERRCODE = '{sqlState}'; END $$"), Ct));
        Assert.Equal(sqlState, error.SqlState);
        Assert.Equal("analytics", await fixture.Cluster.WhoAsync(router, DatabaseOperation.Analytics));
    }

    [Fact]
    public async Task A_terminated_probe_connection_does_not_take_its_host_out_S29()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync(o => o.ApplicationName = "probe test");
        await using var admin = new NpgsqlConnection(fixture.Cluster["analytics"].SuperuserConnectionString);
        for (var i = 0; i < 20; i++)
        {
            // A connection that was just opened replaces a terminated one. Losing that one too would rightly take the host out.
            await admin.ExecuteAsync(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ReplicaRouter probe' AND backend_start < now() - interval '100 ms'");
            Assert.Equal(HostState.Healthy, router.GetHealthStatus()["analytics"].State);
            await Task.Delay(100, Ct);
        }
    }

    [Fact]
    public async Task The_data_source_routes_every_open_and_returns_real_Npgsql_connections_H32()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        var source = router.GetDataSource(DatabaseOperation.Read);
        var servers = new HashSet<string>();
        for (var i = 0; i < 100; i++)
        {
            await using var connection = await source.OpenConnectionAsync(Ct);
            servers.Add(await fixture.Cluster.WhoAsync(Assert.IsType<NpgsqlConnection>(connection)));
        }

        Assert.Equal(["analytics", "background"], servers.Order(StringComparer.Ordinal));
        using DbConnection sync = source.OpenConnection();
        Assert.Equal(1, sync.ExecuteScalar<int>("SELECT 1"));
    }

    [Fact]
    public async Task Synchronous_calls_route_like_asynchronous_ones()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        using var connection = router.OpenConnection(DatabaseOperation.Background);
        Assert.Equal("background", await fixture.Cluster.WhoAsync(connection));
        Assert.Equal(fixture.Cluster.Primary.Port, router.Execute(DatabaseOperation.Write, c => c.ExecuteScalar<int>("SELECT current_setting('port')::int")));
    }

    [Fact]
    public async Task Named_routes_use_their_own_groups()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync(o =>
        {
            o.Routes["export"] = new DatabaseRouteOptions { Groups = { "dr" } };
            o.Routes["strong"] = new DatabaseRouteOptions { Groups = { "primary" } };
        });
        Assert.Equal("dr", await fixture.Cluster.WhoAsync(router, "export"));
        Assert.Equal("primary", await fixture.Cluster.WhoAsync(router, "Strong"));
    }

    [Fact]
    public async Task Health_shows_role_lag_and_timeline_of_every_host()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        var health = router.GetHealthStatus();
        Assert.Equal(4, health.Count);
        Assert.Equal((HostRole.Primary, (TimeSpan?)null, (int?)1), (health["primary"].Role, health["primary"].ReplicationLag, health["primary"].Timeline));
        Assert.All(health.Where(h => h.Key != "primary"), h => Assert.Equal(HostRole.Replica, h.Value.Role));
        Assert.All(health.Where(h => h.Key != "primary"), h => Assert.NotNull(h.Value.ReplicationLag));
        Assert.All(health.Values, h => Assert.InRange(h.Latency.TotalMilliseconds, 0.01, 1000));
    }

    [Fact]
    public async Task A_drained_host_finishes_its_open_connections()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        var connection = await router.OpenConnectionAsync(DatabaseOperation.Analytics, Ct);
        var drained = router.DrainAsync("analytics", Ct);
        Assert.NotEqual("analytics", await fixture.Cluster.WhoAsync(router, DatabaseOperation.Analytics));
        Assert.Equal("analytics", await fixture.Cluster.WhoAsync(connection));
        Assert.False(drained.IsCompleted);
        await connection.DisposeAsync();
        await drained.WaitAsync(TimeSpan.FromSeconds(5), Ct);
        await router.RestoreAsync("analytics", Ct);
        Assert.Equal("analytics", await fixture.Cluster.WhoAsync(router, DatabaseOperation.Analytics));
    }

    [Fact]
    public async Task Reads_forced_to_the_primary_return_to_replicas_within_10_s()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        await router.ForceFailoverToPrimaryAsync(Ct);
        Assert.Equal("primary", await fixture.Cluster.WhoAsync(router, DatabaseOperation.Read));
        Assert.Equal("primary", await fixture.Cluster.WhoAsync(router, DatabaseOperation.Analytics));
        Assert.Equal((0, 1), (router.GetMetrics().Failovers, router.GetMetrics().ForcedToPrimary));
        await Eventually.Async(() => router.GetClient(DatabaseOperation.Analytics).ConnectionString.Contains($"Port={fixture.Cluster["analytics"].Port}", StringComparison.Ordinal),
            TimeSpan.FromSeconds(10), "replicas restored");
    }

    [Fact]
    public async Task A_deadline_ends_the_whole_operation_H53()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        var start = TimeProvider.System.GetTimestamp();
        await Assert.ThrowsAsync<TimeoutException>(() => router.ExecuteAsync(DatabaseOperation.Read, (connection, ct) => connection.ExecuteAsync(new CommandDefinition("SELECT pg_sleep(30)", cancellationToken: ct)),
            new OperationOptions { Deadline = TimeSpan.FromMilliseconds(300) }, Ct));
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_deadline_does_not_end_synchronous_work_but_prevents_a_retry()
    {
        await using var router = await fixture.Cluster.HealthyRouterAsync();
        var options = new OperationOptions { Deadline = TimeSpan.FromSeconds(1) };
        Assert.Equal(1, router.Execute(DatabaseOperation.Read, connection => connection.ExecuteScalar<int>("SELECT 1 FROM pg_sleep(1.2)"), options));

        var runs = 0;
        Assert.Throws<TimeoutException>(() => router.Execute(DatabaseOperation.Read, connection =>
        {
            runs++;
            connection.Execute("SELECT pg_sleep(1.2)");
            return connection.Execute("SELECT pg_terminate_backend(pg_backend_pid())");
        }, options));
        Assert.Equal(1, runs);
    }
}
