using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>Replicas that can't serve must not overload the primary.</summary>
[Trait("PostgreSQL", "any")]
public class PrimaryProtectionTests
{
    private const int Places = 4;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_all_replicas_lagging_reads_reach_the_primary_only_up_to_its_limit_H5_S11()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var router = await cluster.HealthyRouterAsync(options =>
        {
            options.Health.Interval = TimeSpan.FromMilliseconds(200);
            options.MaxLag = TimeSpan.FromSeconds(1);
            options.PrimaryProtection.MaxConcurrentReads = Places;
            options.Routes["read"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMilliseconds(500) };
        });
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync(Tokens.CreateTable), Ct);
        await cluster.WaitForReplicationAsync(Ct);
        foreach (var name in new[] { "analytics", "background" }) await cluster[name].PauseReplayAsync(Ct);
        await using var writes = FailureLoad.OfWrites(cluster, router, new Tokens());
        await router.ReachesAsync("analytics", HostState.Lagging);
        await router.ReachesAsync("background", HostState.Lagging);

        await using var admin = new NpgsqlConnection(cluster.Primary.SuperuserConnectionString);
        var startedAt = TimeProvider.System.GetTimestamp();
        var reads = Enumerable.Range(0, 200).Select(_ => Task.Run(async () =>
        {
            var error = await Record.ExceptionAsync(() => router.ExecuteAsync(DatabaseOperation.Read, (connection, ct) => connection.ExecuteAsync(new CommandDefinition("SELECT pg_sleep(0.1)", cancellationToken: ct)), Ct));
            return (Error: error, Took: TimeProvider.System.GetElapsedTime(startedAt));
        }, Ct)).ToList();
        var most = 0L;
        while (reads.Exists(read => !read.IsCompleted))
        {
            // Count by wait event: a backend that has answered still shows as active for a moment.
            most = Math.Max(most, await admin.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cluster tests read' AND wait_event = 'PgSleep'"));
            await Task.Delay(5, Ct);
        }

        var ended = await Task.WhenAll(reads);
        Assert.InRange(most, 1, Places);
        Assert.Contains(ended, read => read.Error is null);
        Assert.All(ended.Where(read => read.Error is not null), read =>
        {
            Assert.Contains(Assert.IsType<NoEligibleHostException>(read.Error).Rejections, r => r.Host == "primary" && r.Reason.Contains(" at once)", StringComparison.Ordinal));
            Assert.True(read.Took < TimeSpan.FromSeconds(4), $"{read.Took}");
        });
        Assert.Equal(ended.Count(read => read.Error is not null), router.GetMetrics().Recovery.Shed);
        Assert.Null((await writes.StopAsync()).Find(write => write.Error is not null)?.Error);

        foreach (var name in new[] { "analytics", "background" }) await cluster[name].ResumeReplayAsync(Ct);
        await router.ReachesAsync("analytics", HostState.Healthy);
        Assert.NotEqual("primary", await cluster.WhoAsync(router, DatabaseOperation.Read));
    }

    [Fact]
    public async Task Opened_connections_and_data_sources_also_take_slots_and_release_them()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics");
        await using var router = await cluster.HealthyRouterAsync(options =>
        {
            options.PrimaryProtection.MaxConcurrentReads = 2;
            options.Routes["read"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMilliseconds(200) };
        });
        await router.DrainAsync("analytics", Ct);
        await using (var first = await router.OpenConnectionAsync(DatabaseOperation.Read, Ct))
        await using (var second = await router.GetDataSource(DatabaseOperation.Read).OpenConnectionAsync(Ct))
        {
            Assert.Equal("primary", await cluster.WhoAsync(first));
            await Assert.ThrowsAsync<NoEligibleHostException>(async () => await router.OpenConnectionAsync(DatabaseOperation.Read, Ct));
            Assert.Throws<NoEligibleHostException>(() => router.GetClient(DatabaseOperation.Read));
            var strong = new OperationOptions { Consistency = Consistency.Strong };
            Assert.Equal("primary", await router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => cluster.WhoAsync(connection), strong, Ct));
        }

        for (var i = 0; i < 20; i++) Assert.Equal("primary", await cluster.WhoAsync(router, DatabaseOperation.Read));
        await using (var created = (NpgsqlConnection)router.GetDataSource(DatabaseOperation.Read).CreateConnection())
        {
            await created.OpenAsync(Ct);
            Assert.Equal("primary", await cluster.WhoAsync(created));
        }

        await router.RestoreAsync("analytics", Ct);
        Assert.Equal("analytics", await cluster.WhoAsync(router, DatabaseOperation.Read));
    }
}
