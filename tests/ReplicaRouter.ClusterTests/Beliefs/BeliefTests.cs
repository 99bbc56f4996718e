using System.Globalization;
using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Beliefs;

/// <summary>A running router that turns out to be wrong about its cluster recovers without a restart.</summary>
public sealed partial class BeliefTests
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_atOnce = TimeSpan.FromSeconds(2);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static Task<LocalCluster> StartAsync(params string[] replicas) =>
        LocalCluster.StartAsync(new LocalClusterOptions { Password = "of both", Replicas = [.. replicas.Select(name => new LocalReplicaOptions { Name = name })] }, Ct);

    private static async Task<DatabaseRouter> RouterAsync(DatabaseRouterOptions options)
    {
        var router = DatabaseRouter.Create(options);
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), s_bound, "all healthy");
        return router;
    }

    private static Task<TimeSpan> StateAsync(DatabaseRouter router, string host, HostState state) =>
        Eventually.Async(() => router.GetHealthStatus()[host].State == state, s_bound, $"{host} is {state}");

    /// <summary>Accepts a host, and checks that the order takes effect at once, after at most a probe of that host.</summary>
    private static async Task AcceptAsync(DatabaseRouter router, string primary)
    {
        await router.AcceptAsync(primary, Ct);
        var took = await Eventually.Async(() => router.Engine.Topology.Primary?.Name == primary, s_atOnce, $"{primary} is followed");
        TestContext.Current.TestOutputHelper?.WriteLine($"{primary} is followed {took.TotalMilliseconds:0} ms after it was accepted");
    }

    [Fact]
    [Trait("Failure", "A1")]
    public async Task After_a_mistaken_promotion_writes_resume_once_the_promoted_server_is_removed()
    {
        await using var cluster = await StartAsync("analytics", "dr");
        await TokenLoad.PrepareAsync(cluster);
        await using var router = await RouterAsync(cluster.Options());
        // This router does not know the promoted server.
        await using var other = await RouterAsync(cluster.Options("primary", "analytics"));
        await using var load = new TokenLoad(router);
        await using var undisturbed = new TokenLoad(other);
        await load.WritesOnAsync(cluster["primary"].Port, s_bound);
        await undisturbed.WritesOnAsync(cluster["primary"].Port, s_bound);

        await cluster["dr"].PromoteAsync(Ct);
        await StateAsync(router, "primary", HostState.Fenced);
        await cluster["dr"].StopAsync(StopMode.Fast, Ct);
        await Eventually.Async(() => router.GetHealthStatus()["primary"].Error!.Contains("dr was last seen on it and has been silent", StringComparison.Ordinal), s_bound, "the silent witness is named");
        var written = load.WrittenOn(cluster["primary"].Port);

        router.Reload(cluster.Options("primary", "analytics"));
        await load.WritesOnAsync(cluster["primary"].Port, s_bound);
        Assert.True(load.WrittenOn(cluster["primary"].Port) > written);
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), s_bound, "all healthy again");
        await load.AssertNothingIsLostOrDoubledAsync(cluster["primary"]);
        Assert.True(undisturbed.LongestGap < s_bound, $"{undisturbed.LongestGap}");
        await undisturbed.AssertNothingIsLostOrDoubledAsync(cluster["primary"]);
    }

    [Fact]
    [Trait("Failure", "A1")]
    public async Task Writes_resume_at_once_on_the_old_primary_when_an_operator_accepts_it()
    {
        await using var cluster = await StartAsync("analytics", "dr");
        await TokenLoad.PrepareAsync(cluster);
        await using var router = await RouterAsync(cluster.Options());
        await using var load = new TokenLoad(router);
        await load.WritesOnAsync(cluster["primary"].Port, s_bound);
        await cluster["dr"].PromoteAsync(Ct);
        await load.WritesOnAsync(cluster["dr"].Port, s_bound);
        // This router has never seen the state before the promotion.
        await using var late = DatabaseRouter.Create(cluster.Options());
        await using var second = new TokenLoad(late);
        await second.WritesOnAsync(cluster["dr"].Port, s_bound);

        var preview = router.PreviewAccept("primary");
        Assert.Equal(("dr", 2, 1), (preview.FormerPrimary, preview.FormerTimeline, preview.Timeline));
        Assert.Contains(preview.GivenUp, sentence => sentence.StartsWith("dr is on timeline 2", StringComparison.Ordinal));
        foreach (var each in new[] { router, late }) await AcceptAsync(each, "primary");
        Assert.Equal(HostState.Fenced, router.GetHealthStatus()["dr"].State);
        foreach (var each in new[] { load, second }) await each.WritesOnAsync(cluster["primary"].Port, s_bound);
        // dr is still running, on its newer timeline.
        foreach (var each in new[] { router, late }) await StateAsync(each, "analytics", HostState.Healthy);
        Assert.Equal(HostState.Fenced, router.GetHealthStatus()["dr"].State);
        foreach (var each in new[] { load, second })
        {
            await each.AssertNothingIsLostOrDoubledAsync(cluster["primary"]);
            // The writes that dr acknowledged are lost to the cluster, but can still be copied from it.
            await each.AssertNothingIsLostOrDoubledAsync(cluster["dr"]);
        }
    }

    /// <summary>A standby of the mistakenly promoted server holds abandoned writes, even while that server is down and the standby does not look like its follower.</summary>
    [Fact]
    [Trait("Failure", "A1")]
    public async Task Standbys_of_an_abandoned_host_stay_out_when_it_is_killed_and_when_it_returns()
    {
        await using var cluster = await StartAsync("analytics", "dr");
        await TokenLoad.PrepareAsync(cluster);
        await using (var admin = new NpgsqlConnection(cluster.Primary.SuperuserConnectionString)) await admin.ExecuteAsync("GRANT pg_monitor TO app");
        await using var router = await RouterAsync(cluster.Options());
        await cluster.WaitForReplicationAsync(Ct);
        await cluster.PromoteAsync("dr", cancellationToken: Ct);
        await Eventually.Async(() => Host(router, "analytics") is { ShownTimeline: 2, State: HostState.Healthy }, s_bound, "analytics follows dr");
        await using (var load = new TokenLoad(router))
        {
            await load.WritesOnAsync(cluster["dr"].Port, s_bound);
            await AcceptAsync(router, "primary");
            await load.WritesOnAsync(cluster["primary"].Port, s_bound);
        }

        await cluster["dr"].KillAsync(Ct);
        await StateAsync(router, "dr", HostState.Down);
        await StaysOutAsync(router, "analytics", HostState.OldTimeline);
        await cluster["dr"].StartAsync(Ct);
        await StateAsync(router, "dr", HostState.Fenced);
        await StaysOutAsync(router, "analytics", HostState.OldTimeline);
        Assert.Equal("primary", router.Engine.Topology.Primary?.Name);
    }

    [Fact]
    [Trait("Failure", "A1")]
    public async Task A_new_process_excludes_a_standby_that_has_replayed_more_than_the_primary_wrote()
    {
        await using var cluster = await StartLeavingAStandbyBehindAsync();
        await using var router = DatabaseRouter.Create(cluster.Options("primary", "analytics"));
        await StateAsync(router, "analytics", HostState.OldTimeline);
        await StaysOutAsync(router, "analytics", HostState.OldTimeline);
        Assert.Equal("primary", router.Engine.Topology.Primary?.Name);
    }

    /// <summary>A later timeline shows that a server was promoted and can have acknowledged writes. A new process can't know that the promotion was a mistake.</summary>
    [Fact]
    [Trait("Failure", "A1")]
    public async Task A_new_process_writes_nothing_when_that_standby_shows_a_later_timeline()
    {
        await using var cluster = await StartLeavingAStandbyBehindAsync();
        await using (var connection = new NpgsqlConnection(cluster["analytics"].SuperuserConnectionString)) await connection.ExecuteAsync("CHECKPOINT", commandType: System.Data.CommandType.Text);
        await using var router = DatabaseRouter.Create(cluster.Options("primary", "analytics"));
        await StateAsync(router, "primary", HostState.Fenced);
        await StaysOutAsync(router, "primary", HostState.Fenced);
        Assert.Null(router.Engine.Topology.Primary);
        Assert.Equal(HostState.Healthy, router.GetHealthStatus()["analytics"].State);
    }

    /// <summary>Starts a cluster in which "dr" was promoted while "primary" ran on, wrote rows that "analytics" replayed, and was killed.</summary>
    private static async Task<LocalCluster> StartLeavingAStandbyBehindAsync()
    {
        // A standby that writes a page to disk records its timeline in its control file. Without the background writer, "analytics" does not.
        var cluster = await LocalCluster.StartAsync(
            new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "dr" }], Settings = { ["bgwriter_lru_maxpages"] = "0" } }, Ct);
        // Otherwise "analytics" can be ahead of "dr" at the promotion, and would be copied from "dr" instead of following it.
        await cluster.WaitForReplicationAsync(Ct);
        await cluster.PromoteAsync("dr", cancellationToken: Ct);
        await using (var connection = new NpgsqlConnection(cluster["dr"].ConnectionString)) await connection.ExecuteAsync("CREATE TABLE given_up AS SELECT generate_series(1, 10000)");
        await Eventually.Async(async () =>
        {
            await using var connection = new NpgsqlConnection(cluster["analytics"].ConnectionString);
            return await connection.ExecuteScalarAsync<bool>("SELECT to_regclass('given_up') IS NOT NULL");
        }, s_bound, "analytics has followed dr");
        await cluster["dr"].KillAsync(Ct);
        return cluster;
    }

    /// <summary>Checks that a host keeps a state for three probes.</summary>
    private static async Task StaysOutAsync(DatabaseRouter router, string host, HostState state)
    {
        var seen = Host(router, host).Observations;
        await Eventually.Async(() =>
        {
            var known = Host(router, host);
            Assert.Equal(state, known.State);
            return known.Observations >= seen + 3;
        }, s_bound, $"{host} is probed three times");
    }

    private static HostSnapshot Host(DatabaseRouter router, string name) => router.Engine.Topology.Hosts.Single(host => host.Name == name);

    [Fact]
    [Trait("Failure", "A5")]
    public async Task Connections_of_writable_routes_to_a_fenced_server_are_cut()
    {
        await using var cluster = await StartAsync("dr");
        await TokenLoad.PrepareAsync(cluster);
        await using var router = await RouterAsync(cluster.Options());
        await using var listener = await router.OpenConnectionAsync(DatabaseOperation.Write, Ct);
        await listener.ExecuteAsync("LISTEN news");
        await using var held = await router.OpenConnectionAsync(DatabaseOperation.Transactional, Ct);
        await using var reader = await router.OpenConnectionAsync(DatabaseOperation.Read, Ct);
        var waiting = listener.WaitAsync(Ct);

        await cluster["dr"].PromoteAsync(Ct);
        var error = await Assert.ThrowsAsync<PostgresException>(() => waiting.WaitAsync(s_bound, Ct));
        Assert.Equal(PostgresErrorCodes.AdminShutdown, error.SqlState);
        // Connections are cut one route after another.
        await Eventually.Async(() => IsCutAsync(held), s_bound, "the held connection is cut");
        // A connection that can't write does no harm, so it is kept.
        Assert.Equal(1, await reader.ExecuteScalarAsync<int>("SELECT 1"));
    }

    private static async Task<bool> IsCutAsync(NpgsqlConnection connection)
    {
        try
        {
            await connection.ExecuteAsync("INSERT INTO written VALUES (gen_random_uuid())");
            return false;
        }
        catch (NpgsqlException)
        {
            return true;
        }
    }
}
