using Dapper;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

public partial class SessionTests
{
    [Fact]
    public async Task Reads_do_not_go_back_in_time_when_the_replica_that_was_ahead_dies_I2()
    {
        await using var cluster = await StartAsync("analytics", "background");
        await using var router = await RouterAsync(cluster);
        await cluster["background"].PauseReplayAsync(Ct);
        await WriteAsync(router, 7);
        await cluster.WaitForReplicationOnAsync("analytics", Ct);
        await router.DrainAsync("background", Ct);
        using var session = router.BeginSession();
        Assert.Equal((7, "analytics"), await ReadAsync(cluster, router));
        await router.RestoreAsync("background", Ct);
        await cluster["analytics"].KillAsync(Ct);
        Assert.Equal((7, "primary"), await ReadAsync(cluster, router));
        await cluster["background"].ResumeReplayAsync(Ct);
        await Eventually.Async(() => router.GetHealthStatus()["background"].IsHealthy, TimeSpan.FromSeconds(5), "caught up");
        Assert.Equal(7, (await ReadAsync(cluster, router)).Value);
    }

    /// <summary>A killed standby replays again from its last restart point, and accepts reads before it is back at its former position.</summary>
    [Fact]
    public async Task A_replica_that_returns_before_a_probe_misses_it_shows_nothing_older()
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await RouterAsync(cluster, options => options.Health.Interval = TimeSpan.FromSeconds(2));
        using var session = router.BeginSession();
        await WriteAsync(router, 7);
        await cluster.WaitForReplicationAsync(Ct);
        await Eventually.Async(async () => (await ReadAsync(cluster, router)).Server == "analytics", TimeSpan.FromSeconds(10), "read from the replica");
        await cluster["analytics"].CutStreamingAsync(Ct);
        await cluster["analytics"].KillAsync(Ct);
        await cluster["analytics"].StartAsync(Ct);
        for (var i = 0; i < 50; i++) Assert.Equal(7, (await ReadAsync(cluster, router)).Value);
        await cluster["analytics"].RestoreStreamingAsync(Ct);
    }

    [Fact]
    public async Task At_a_page_boundary_of_an_idle_primary_no_read_waits_for_an_unreachable_LSN_H50()
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await RouterAsync(cluster, Patience(seconds: 30));
        await using var superuser = new NpgsqlConnection(cluster.Primary.SuperuserConnectionString);
        await superuser.OpenAsync(Ct);
        for (var i = 1; i <= 3; i++)
        {
            using var session = router.BeginSession();
            await WriteAsync(router, i);
            // The insert position is now just after the long page header of the next segment.
            await superuser.ExecuteAsync("SELECT pg_switch_wal()");
            Assert.Equal(40, await superuser.ExecuteScalarAsync<long>("SELECT ((pg_current_wal_insert_lsn() - '0/0')::bigint % pg_size_bytes(current_setting('wal_segment_size')))::bigint"));
            await cluster.WaitForReplicationAsync(Ct);
            await AssertReplicaShowsSoonAsync(cluster, router, i);
        }
    }

    /// <summary>A message that no commit follows stays unflushed in the primary's memory, so the end of its WAL is beyond what standbys can receive.</summary>
    [Fact]
    public async Task Records_that_an_idle_primary_has_not_flushed_delay_no_read_for_long()
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await RouterAsync(cluster, Patience(seconds: 30));
        await using var superuser = new NpgsqlConnection(cluster.Primary.SuperuserConnectionString);
        await superuser.OpenAsync(Ct);
        using var session = router.BeginSession();
        await WriteAsync(router, 7);
        await superuser.ExecuteAsync("SELECT pg_logical_emit_message(false, 'test', 'nobody waits for this')");
        Assert.True(await superuser.ExecuteScalarAsync<bool>("SELECT pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()"));
        await AssertReplicaShowsSoonAsync(cluster, router, 7);
    }

    [Fact]
    public async Task After_a_failover_replicated_history_is_kept_and_lost_history_is_reported_T21()
    {
        await using var cluster = await StartAsync("analytics", "background");
        await using var router = await RouterAsync(cluster);
        string kept, lost;
        using (var session = router.BeginSession())
        {
            await WriteAsync(router, 1);
            kept = await session.GetTokenAsync(Ct);
            await cluster.WaitForReplicationAsync(Ct);
        }

        foreach (var server in cluster.Servers.Skip(1)) await server.CutStreamingAsync(Ct);
        using (var session = router.BeginSession())
        {
            await WriteAsync(router, 2);
            lost = await session.GetTokenAsync(Ct);
        }

        await cluster.Primary.KillAsync(Ct);
        await Eventually.Async(() => !router.GetHealthStatus()["primary"].IsHealthy, TimeSpan.FromSeconds(5), "found dead");
        await cluster.PromoteAsync("analytics", cancellationToken: Ct);
        await Eventually.Async(() => router.GetHealthStatus()["analytics"].Role == HostRole.Primary, TimeSpan.FromSeconds(5), "followed");

        using (var session = router.BeginSession(kept))
        {
            Assert.Equal(1, (await ReadAsync(cluster, router)).Value);
            Assert.False(session.HasLostHistory);
        }

        using (var session = router.BeginSession(lost))
        {
            Assert.Equal(1, (await ReadAsync(cluster, router)).Value);
            Assert.True(session.HasLostHistory);
            // From here on it is a session like any other.
            await WriteAsync(router, 3);
            Assert.Equal(3, (await ReadAsync(cluster, router)).Value);
        }

        Assert.Equal(1, router.GetMetrics().Sessions.LostHistories);
    }

    [Fact]
    public async Task A_token_of_another_cluster_is_ignored()
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await RouterAsync(cluster);
        await WriteAsync(router, 7);
        await cluster.WaitForReplicationAsync(Ct);
        var foreign = new SessionToken(new WalPosition(42, 9, ulong.MaxValue / 2), DateTimeOffset.UtcNow, false).Encode([]);
        using var session = router.BeginSession(foreign);
        Assert.Equal((7, "analytics"), await ReadAsync(cluster, router));
        Assert.False(session.HasLostHistory);
        Assert.Equal(1, router.GetMetrics().Sessions.IgnoredTokens);
    }

    [Theory]
    [InlineData(1, ulong.MaxValue / 2)]     // far beyond the end of the primary's WAL
    [InlineData(99, 1UL)]                   // a timeline that never existed
    public async Task A_token_that_the_cluster_can_never_reach_causes_no_error_and_no_endless_wait(int timeline, ulong lsn)
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await RouterAsync(cluster);
        await WriteAsync(router, 7);
        await cluster.WaitForReplicationAsync(Ct);
        var forged = new SessionToken(new WalPosition(router.Engine.Topology.SystemIdentifier!.Value, timeline, lsn), DateTimeOffset.UtcNow, false).Encode([]);
        using var session = router.BeginSession(forged);
        // Reads do not wait for the position: by its next answer at the latest, the primary shows that it does not exist.
        await Eventually.Async(async () =>
        {
            Assert.Equal(7, (await ReadAsync(cluster, router)).Value);
            return session.HasLostHistory;
        }, TimeSpan.FromSeconds(5), "the history is known to be lost");
    }

    [Fact]
    public async Task One_write_does_not_keep_later_sessions_on_the_primary_H22()
    {
        await using var cluster = await StartAsync("analytics", "background");
        await using var router = await RouterAsync(cluster);
        using (router.BeginSession())
        {
            await WriteAsync(router, 7);
            await ReadAsync(cluster, router);
        }

        var byServer = new Dictionary<string, int>();
        for (var i = 0; i < 1000; i++)
        {
            using var session = router.BeginSession();
            var server = (await ReadAsync(cluster, router)).Server;
            byServer[server] = byServer.GetValueOrDefault(server) + 1;
        }

        Assert.DoesNotContain("primary", byServer.Keys);
        // Not half each: a replica that is slower for a while gets less.
        Assert.All(["analytics", "background"], server => Assert.InRange(byServer[server], 50, 950));
    }

    /// <summary>A task's session must not leak into work that was started before it, even on the same threads.</summary>
    [Fact]
    public async Task Sessions_of_tasks_that_run_concurrently_do_not_mix_H38()
    {
        await using var cluster = await StartAsync("analytics");
        await using var router = await RouterAsync(cluster);
        await PauseAllAsync(cluster);
        await Task.WhenAll(Enumerable.Range(1, 40).Select(i => Task.Run(async () =>
        {
            if (i % 2 == 0)
            {
                using var session = router.BeginSession();
                await WriteAsync(router, i);
                Assert.True((await ReadAsync(cluster, router)).Value >= i);
            }
            else
            {
                Assert.Equal((0, "analytics"), await ReadAsync(cluster, router));
            }
        }, Ct)));
    }

    [Fact]
    public async Task Under_random_faults_no_session_sees_an_old_value_but_plain_reads_do_I1_I2()
    {
        var report = await ConsistencyCheck.RunAsync(new ConsistencyCheckOptions { Reads = 12_000, Seed = 3 }, Ct);
        Assert.True(report.Violations == 0, report.ToString());
        Assert.True(report.ServedByReplicas >= 0.6, report.ToString());
        Assert.True(report.WithoutSessions.Violations > 0, report.ToString());
    }
}
