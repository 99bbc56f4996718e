using System.Diagnostics;
using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>The primary fails, is replaced or returns, or there are two of them.</summary>
[Trait("PostgreSQL", "any")]
public class PrimaryFailureTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_failover_applies_each_write_exactly_once_S2_S23_H12_H14_H43_T4_T6_T20_I3_I4()
    {
        // The successor holds every acknowledged commit, so any loss would be the router's.
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions
        {
            Replicas = [new() { Name = "analytics" }, new() { Name = "background", IsSynchronous = true }],
        }, Ct);
        await using var router = await cluster.HealthyRouterAsync();
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync(Tokens.CreateTable), Ct);
        await cluster.WaitForReplicationAsync(Ct);
        var tokens = new Tokens();
        await using var reads = FailureLoad.OfReads(cluster, router);
        await using var writes = FailureLoad.OfWrites(cluster, router, tokens);
        await Eventually.Async(() => router.GetMetrics().QueriesRouted[DatabaseOperation.Write] > 50, TimeSpan.FromSeconds(10), "under load");

        var killedAt = TimeProvider.System.GetTimestamp();
        await cluster.Primary.KillAsync(Ct);
        var lostAt = TimeProvider.System.GetTimestamp();
        await Task.Delay(1000, Ct);
        await cluster.PromoteAsync("background", cancellationToken: Ct);
        var promotedAt = TimeProvider.System.GetTimestamp();
        await Eventually.Async(() => router.GetHealthStatus()["background"].Role == HostRole.Primary, TimeSpan.FromSeconds(5), "followed");
        await Task.Delay(1000, Ct);

        var written = await writes.StopAsync();
        Assert.Null((await reads.StopAsync()).Find(read => read.Error is not null)?.Error);
        // A write in flight when the server died has an unknown outcome. All later writes waited.
        Assert.All(written.Where(write => write.Error is not null), write =>
        {
            Assert.IsType<TransactionOutcomeUnknownException>(write.Error);
            Assert.True(write.StartedAt < lostAt, $"a write that began {TimeProvider.System.GetElapsedTime(killedAt, write.StartedAt)} after the kill failed: {write.Error}");
        });
        Assert.Equal((0, 0), await tokens.CheckAsync(cluster));
        Assert.Contains(written, write => write.Server == "background" && write.StartedAt < promotedAt);
        Assert.Equal(1, router.GetMetrics().Failovers);
    }

    [Fact]
    public async Task A_planned_switchover_fails_no_write_H13_S18_S25_T27()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var router = await cluster.HealthyRouterAsync();
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync(Tokens.CreateTable), Ct);
        var tokens = new Tokens();
        await using var reads = FailureLoad.OfReads(cluster, router);
        await using var writes = FailureLoad.OfWrites(cluster, router, tokens, workers: 4);
        await Eventually.Async(() => router.GetMetrics().QueriesRouted[DatabaseOperation.Write] > 50, TimeSpan.FromSeconds(10), "under load");
        var former = cluster.Primary;
        await former.StopAsync(StopMode.Fast, Ct);
        await cluster.PromoteAsync("background", cancellationToken: Ct);
        await cluster.RejoinAsync(former.Name, Ct);
        await Eventually.Async(() => router.GetHealthStatus()["primary"] is { Role: HostRole.Replica, IsHealthy: true }, TimeSpan.FromSeconds(15), "a standby again");

        Assert.Null((await writes.StopAsync()).Find(write => write.Error is not null)?.Error);
        Assert.Null((await reads.StopAsync()).Find(read => read.Error is not null)?.Error);
        Assert.Equal((0, 0), await tokens.CheckAsync(cluster));
    }

    [Fact]
    public async Task A_primary_resumed_after_a_promotion_gets_nothing_and_its_callers_fail_T25_S5_I5()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var router = await cluster.HealthyRouterAsync();
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync(Tokens.CreateTable), Ct);
        await cluster.WaitForReplicationAsync(Ct);
        cluster.Primary.Suspend();
        var stuck = router.ExecuteAsync(DatabaseOperation.Write, (connection, ct) => connection.ExecuteAsync(new CommandDefinition("INSERT INTO token VALUES (gen_random_uuid())", cancellationToken: ct)), Ct);
        await router.ReachesAsync("primary", HostState.Hung, 5);
        Assert.False(stuck.IsCompleted, "the primary can still answer until another one is promoted");
        await cluster["background"].PromoteAsync(Ct);
        var error = await Assert.ThrowsAsync<TransactionOutcomeUnknownException>(() => stuck);
        Assert.Equal("primary", error.Host);
        Assert.Equal("background", await cluster.WhoAsync(router, DatabaseOperation.Write));

        cluster["primary"].Resume();
        await router.ReachesAsync("primary", HostState.Fenced);
        for (var i = 0; i < 20; i++) Assert.Equal("background", await cluster.WhoAsync(router, DatabaseOperation.Write));
        for (var i = 0; i < 20; i++) Assert.NotEqual("primary", await cluster.WhoAsync(router, DatabaseOperation.Read));
    }

    [Fact]
    public async Task Two_primaries_on_one_timeline_get_no_writes_until_one_is_gone_S24()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background", "replica-3");
        await using var router = await cluster.HealthyRouterAsync(options => options.Routes["write"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMilliseconds(300) });
        await cluster.Primary.KillAsync(Ct);
        await cluster["analytics"].PromoteAsync(Ct);
        await router.ReachesAsync("analytics", HostState.Healthy);
        await cluster["background"].PromoteAsync(Ct);
        await router.ReachesAsync("background", HostState.SplitBrain);
        await router.ReachesAsync("analytics", HostState.SplitBrain);
        var error = await Assert.ThrowsAsync<NoEligibleHostException>(() => cluster.WhoAsync(router, DatabaseOperation.Write));
        Assert.Contains("2 servers take writes on timeline 2", error.Message, StringComparison.Ordinal);
        await cluster["background"].KillAsync(Ct);
        await Eventually.Async(() => router.GetHealthStatus()["analytics"].IsHealthy, TimeSpan.FromSeconds(10), "alone again");
        Assert.Equal("analytics", await cluster.WhoAsync(router, DatabaseOperation.Write));
    }

    [Fact]
    public async Task A_cluster_killed_and_started_in_another_order_serves_again_T13_H42_I8()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var router = await cluster.HealthyRouterAsync();
        foreach (var server in cluster.Servers) await server.KillAsync(Ct);
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => !host.IsHealthy), TimeSpan.FromSeconds(5), "all out");
        await cluster["background"].StartAsync(Ct);
        await Eventually.Async(() => router.GetHealthStatus()["background"].State is not (HostState.Down or HostState.Restarting), TimeSpan.FromSeconds(5), "one seen");
        await cluster["analytics"].StartAsync(Ct);
        await cluster.Primary.StartAsync(Ct);
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all back");
        Assert.Equal("primary", await cluster.WhoAsync(router, DatabaseOperation.Write));
        Assert.NotEqual("primary", await cluster.WhoAsync(router, DatabaseOperation.Read));
        Assert.Equal(0, router.GetMetrics().Failovers);
    }

    [Fact]
    public async Task With_the_primary_hung_reads_go_on_and_writes_wait_within_their_limits_S8_T5()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var router = await cluster.HealthyRouterAsync(options =>
            options.Routes["write"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMilliseconds(500), MaxWaiting = 10 });
        await using var reads = FailureLoad.OfReads(cluster, router);
        cluster.Primary.Suspend();
        try
        {
            await router.ReachesAsync("primary", HostState.Hung, 10);
            var startedAt = TimeProvider.System.GetTimestamp();
            var errors = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
                (Error: await Assert.ThrowsAsync<NoEligibleHostException>(() => cluster.WhoAsync(router, DatabaseOperation.Write)), Took: TimeProvider.System.GetElapsedTime(startedAt))));
            Assert.InRange(errors.Count(e => e.Took < TimeSpan.FromMilliseconds(400)), 10, 40);
            Assert.All(errors, e => Assert.True(e.Took < TimeSpan.FromSeconds(5)));
        }
        finally
        {
            cluster.Primary.Resume();
        }

        await router.ReachesAsync("primary", HostState.Healthy);
        Assert.Equal("primary", await cluster.WhoAsync(router, DatabaseOperation.Write));
        Assert.Null((await reads.StopAsync()).Find(read => read.Error is not null)?.Error);
    }

    /// <summary>
    /// A backend's crash takes the whole server through recovery, under the same postmaster. Unflushed WAL is lost, and with it the record of which ids
    /// were assigned: a later transaction gets the id of the one whose outcome is looked up.
    /// </summary>
    [Fact]
    public async Task After_a_crash_a_transaction_id_proves_nothing_once_it_is_reused_S3()
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [], Settings = { ["wal_writer_delay"] = "10s", ["bgwriter_delay"] = "10s" } }, Ct);
        await using var router = await cluster.HealthyRouterAsync();
        await using var holder = new NpgsqlConnection(cluster.Primary.ConnectionString);
        await holder.OpenAsync(Ct);
        await holder.ExecuteAsync("""
            CREATE TABLE held (id int);
            CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON held DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait();
            SELECT pg_advisory_lock(4711)
            """);
        var id = 0L;
        var work = router.WithTransactionAsync(async (transaction, _) =>
        {
            await transaction.Connection!.ExecuteAsync("INSERT INTO held VALUES (1)", transaction: transaction);
            id = await transaction.Connection!.ExecuteScalarAsync<long>("SELECT txid_current()", transaction: transaction);
        }, Ct);
        await Eventually.Async(async () => await holder.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'") > 0, TimeSpan.FromSeconds(10), "in its COMMIT");
        using (var backend = Process.GetProcessById(holder.ProcessID)) backend.Kill();
        var error = await Assert.ThrowsAsync<TransactionOutcomeUnknownException>(() => work);

        // The id is not reused yet, so it is certain that no transaction committed under it.
        Assert.Equal(TransactionOutcome.RolledBack, await error.ResolveAsync(Ct));
        var next = await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteScalarAsync<long>("SELECT txid_current()"), Ct);
        Assert.InRange(next, 1, id);
        while (next < id) next = await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteScalarAsync<long>("SELECT txid_current()"), Ct);
        Assert.Equal(TransactionOutcome.Unknown, await error.ResolveAsync(Ct));
    }

    [Fact]
    public async Task Disposing_the_router_ends_work_that_waits_for_a_host_at_once()
    {
        await using var cluster = await FailureCluster.StartAsync();
        var router = await cluster.HealthyRouterAsync();
        await cluster.Primary.KillAsync(Ct);
        await Eventually.Async(() => !router.GetHealthStatus()["primary"].IsHealthy, TimeSpan.FromSeconds(5), "seen");
        var waiting = cluster.WhoAsync(router, DatabaseOperation.Write);
        await router.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(3), Ct));
    }

    /// <summary>DistributedLock.Postgres, for example, keeps such a connection from the data source that it takes.</summary>
    [Fact]
    [Trait("Failure", "A8")]
    public async Task A_reused_closed_connection_leads_to_the_current_primary_at_each_opening()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using var router = await cluster.HealthyRouterAsync();
        await using var kept = router.GetDataSource(DatabaseOperation.Write).CreateConnection();
        Assert.Equal("primary", await OpenAsync());
        // This handler runs last, after the connection is repointed, which is a moment after the topology shows the new primary.
        var followed = new TaskCompletionSource();
        router.Engine.Store.Changed += (before, after) =>
        {
            if (before.Primary?.Name != "analytics" && after.Primary?.Name == "analytics") followed.TrySetResult();
        };
        await cluster.Primary.KillAsync(Ct);
        await cluster.PromoteAsync("analytics", repointOthers: true, Ct);
        await followed.Task.WaitAsync(TimeSpan.FromSeconds(20), Ct);
        Assert.Equal("analytics", await OpenAsync());
        Assert.Equal("analytics", await OpenAsync());

        async Task<string> OpenAsync()
        {
            await kept.OpenAsync(Ct);
            var server = await cluster.WhoAsync((NpgsqlConnection)kept);
            await kept.CloseAsync();
            return server;
        }
    }
}
