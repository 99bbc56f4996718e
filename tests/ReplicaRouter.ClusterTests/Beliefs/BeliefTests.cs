using System.Globalization;
using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Beliefs;

/// <summary>What a running router believes of the cluster, when that turns out to be wrong: it goes on without a restart.</summary>
public sealed class BeliefTests
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

    /// <summary>What is ordered holds at once: at most the accepted host is probed before.</summary>
    private static async Task AcceptAsync(DatabaseRouter router, string primary)
    {
        await router.AcceptAsync(primary, Ct);
        var took = await Eventually.Async(() => router.Engine.Topology.Primary?.Name == primary, s_atOnce, $"{primary} is followed");
        TestContext.Current.TestOutputHelper?.WriteLine($"{primary} is followed {took.TotalMilliseconds:0} ms after it was accepted");
    }

    [Fact]
    [Trait("Failure", "A1")]
    public async Task After_a_promotion_by_mistake_writes_go_on_once_the_promoted_server_is_removed()
    {
        await using var cluster = await StartAsync("analytics", "dr");
        await TokenLoad.PrepareAsync(cluster);
        await using var router = await RouterAsync(cluster.Options());
        // It never hears of the mistake.
        await using var other = await RouterAsync(cluster.Options("primary", "analytics"));
        await using var load = new TokenLoad(router);
        await using var undisturbed = new TokenLoad(other);
        await load.WritesOnAsync(cluster["primary"].Port, s_bound);
        await undisturbed.WritesOnAsync(cluster["primary"].Port, s_bound);

        await cluster["dr"].PromoteAsync(Ct);
        await StateAsync(router, "primary", HostState.Fenced);
        await cluster["dr"].StopAsync(StopMode.Fast, Ct);
        await Eventually.Async(() => router.GetHealthStatus()["primary"].Error!.Contains("dr was seen to do so and has been silent", StringComparison.Ordinal), s_bound, "the silent witness is named");
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
    public async Task An_operator_who_accepts_the_old_primary_has_writes_go_on_there_at_once()
    {
        await using var cluster = await StartAsync("analytics", "dr");
        await TokenLoad.PrepareAsync(cluster);
        await using var router = await RouterAsync(cluster.Options());
        await using var load = new TokenLoad(router);
        await load.WritesOnAsync(cluster["primary"].Port, s_bound);
        await cluster["dr"].PromoteAsync(Ct);
        await load.WritesOnAsync(cluster["dr"].Port, s_bound);
        // It has never seen the former state.
        await using var late = DatabaseRouter.Create(cluster.Options());
        await using var second = new TokenLoad(late);
        await second.WritesOnAsync(cluster["dr"].Port, s_bound);

        var preview = router.PreviewAccept("primary");
        Assert.Equal(("dr", 2, 1), (preview.FormerPrimary, preview.FormerTimeline, preview.Timeline));
        Assert.Contains(preview.GivenUp, sentence => sentence.StartsWith("dr is on timeline 2", StringComparison.Ordinal));
        foreach (var each in new[] { router, late }) await AcceptAsync(each, "primary");
        Assert.Equal(HostState.Fenced, router.GetHealthStatus()["dr"].State);
        foreach (var each in new[] { load, second }) await each.WritesOnAsync(cluster["primary"].Port, s_bound);
        // dr still runs, and still claims its timeline.
        foreach (var each in new[] { router, late }) await StateAsync(each, "analytics", HostState.Healthy);
        Assert.Equal(HostState.Fenced, router.GetHealthStatus()["dr"].State);
        foreach (var each in new[] { load, second })
        {
            await each.AssertNothingIsLostOrDoubledAsync(cluster["primary"]);
            // What it acknowledged is given up for the cluster, and still there to be copied.
            await each.AssertNothingIsLostOrDoubledAsync(cluster["dr"]);
        }
    }

    /// <summary>A standby that followed the mistaken promotion holds writes that were given up, also while its server is down and looks like none of that line.</summary>
    [Fact]
    [Trait("Failure", "A1")]
    public async Task Standbys_of_the_server_that_was_given_up_serve_nothing_when_it_is_killed_and_when_it_returns()
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
    public async Task A_new_process_leaves_out_a_standby_that_has_replayed_more_than_the_primary_wrote()
    {
        await using var cluster = await StartLeavingAStandbyBehindAsync();
        await using var router = DatabaseRouter.Create(cluster.Options("primary", "analytics"));
        await StateAsync(router, "analytics", HostState.OldTimeline);
        await StaysOutAsync(router, "analytics", HostState.OldTimeline);
        Assert.Equal("primary", router.Engine.Topology.Primary?.Name);
    }

    /// <summary>A later timeline shows that a server was promoted, which may have acknowledged writes: a new process can't know that it was a mistake.</summary>
    [Fact]
    [Trait("Failure", "A1")]
    public async Task A_new_process_to_which_that_standby_shows_a_later_timeline_writes_nothing()
    {
        await using var cluster = await StartLeavingAStandbyBehindAsync();
        await using (var connection = new NpgsqlConnection(cluster["analytics"].SuperuserConnectionString)) await connection.ExecuteAsync("CHECKPOINT", commandType: System.Data.CommandType.Text);
        await using var router = DatabaseRouter.Create(cluster.Options("primary", "analytics"));
        await StateAsync(router, "primary", HostState.Fenced);
        await StaysOutAsync(router, "primary", HostState.Fenced);
        Assert.Null(router.Engine.Topology.Primary);
        Assert.Equal(HostState.Healthy, router.GetHealthStatus()["analytics"].State);
    }

    /// <summary>"dr" was promoted while "primary" went on, wrote what "analytics" has replayed, and is gone.</summary>
    private static async Task<LocalCluster> StartLeavingAStandbyBehindAsync()
    {
        // Each page that a standby writes to its disk has its control file show the timeline that it has reached.
        var cluster = await LocalCluster.StartAsync(
            new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "dr" }], Settings = { ["bgwriter_lru_maxpages"] = "0" } }, Ct);
        // Else "analytics" may have received more than "dr" had when it was promoted, and would be copied from "dr" rather than follow it.
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

    /// <summary>For three probes.</summary>
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
        // One route's connections are cut after the other's.
        await Eventually.Async(() => IsCutAsync(held), s_bound, "the held connection is cut");
        // A connection that can't write is nobody's loss.
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

    [Fact]
    [Trait("Failure", "A2")]
    public async Task A_cluster_that_took_the_former_one_s_place_is_followed()
    {
        await using var former = await StartAsync("analytics");
        await TokenLoad.PrepareAsync(former);
        await using var router = await RouterAsync(former.Options());
        await using var alone = await RouterAsync(former.Options("primary"));
        await using var load = new TokenLoad(router);
        await using var second = new TokenLoad(alone);
        await load.WritesOnAsync(former["primary"].Port, s_bound);
        await second.WritesOnAsync(former["primary"].Port, s_bound);

        foreach (var each in new[] { load, second }) await each.AssertHeldAsync(former["primary"]);
        var port = former["primary"].Port;
        await former.DisposeAsync();
        await using var next = await SuccessorAsync(port);
        await load.WritesOnAsync(port, s_bound);
        await second.WritesOnAsync(port, s_bound);
        Assert.Equal(HostState.Healthy, router.GetHealthStatus()["primary"].State);
        foreach (var each in new[] { load, second }) await each.AssertNothingIsLostOrDoubledAsync(next["primary"]);
    }

    [Fact]
    [Trait("Failure", "A2")]
    public async Task An_operator_who_accepts_the_next_cluster_has_writes_go_on_though_a_replica_of_the_former_one_is_left()
    {
        await using var former = await StartAsync("analytics");
        await TokenLoad.PrepareAsync(former);
        await using var router = await RouterAsync(former.Options());
        await using var load = new TokenLoad(router);
        await load.WritesOnAsync(former["primary"].Port, s_bound);
        await using var next = await SuccessorAsync(null);
        var options = former.Options();
        options.Hosts["primary"].ConnectionString = next["primary"].Url;
        router.Reload(options);
        await StateAsync(router, "primary", HostState.ForeignCluster);
        // It has never seen the former primary, and follows the configured one.
        await using var late = DatabaseRouter.Create(options);
        await using var second = new TokenLoad(late);
        await second.WritesOnAsync(next["primary"].Port, s_bound);
        Assert.Equal(HostState.ForeignCluster, router.GetHealthStatus()["primary"].State);

        await AcceptAsync(router, "primary");
        await load.WritesOnAsync(next["primary"].Port, s_bound);
        foreach (var each in new[] { router, late }) await StateAsync(each, "analytics", HostState.ForeignCluster);
        foreach (var each in new[] { load, second }) await each.AssertNothingIsLostOrDoubledAsync(next["primary"]);
        await load.AssertHeldAsync(former["primary"]);
    }

    private static async Task<LocalCluster> SuccessorAsync(int? port)
    {
        var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Password = "of both", PrimaryPort = port, Replicas = [] }, Ct);
        await TokenLoad.PrepareAsync(cluster);
        return cluster;
    }

    [Fact]
    [Trait("Failure", "A3")]
    public async Task A_foreign_replica_that_answers_first_gives_way_to_the_configured_primary()
    {
        await using var cluster = await StartAsync("analytics");
        await TokenLoad.PrepareAsync(cluster);
        await using var foreign = await StartAsync("background");
        var options = cluster.Options();
        options.Hosts["background"] = new DatabaseHostOptions { ConnectionString = foreign["background"].Url };
        // It has seen the configured primary before.
        await using var early = DatabaseRouter.Create(options);
        await using var second = new TokenLoad(early);
        await second.WritesOnAsync(cluster["primary"].Port, s_bound);
        await cluster["primary"].StopAsync(StopMode.Fast, Ct);
        await cluster["analytics"].StopAsync(StopMode.Fast, Ct);
        await using var router = DatabaseRouter.Create(options);
        await Eventually.Async(() => router.GetHealthStatus()["background"].IsHealthy, s_bound, "the foreign one is all that answers");
        Assert.Equal(HostState.ForeignCluster, early.GetHealthStatus()["background"].State);
        await using var load = new TokenLoad(router);
        await using var ordered = DatabaseRouter.Create(options);
        await Eventually.Async(() => ordered.GetHealthStatus()["background"].IsHealthy, s_bound, "the foreign one is all that answers");

        await cluster["analytics"].StartAsync(Ct);
        foreach (var each in new[] { router, ordered }) await StateAsync(each, "analytics", HostState.ForeignCluster);
        await ordered.AcceptAsync("analytics", Ct);
        Assert.Equal(HostState.ForeignCluster, ordered.GetHealthStatus()["background"].State);
        await cluster["primary"].StartAsync(Ct);
        foreach (var each in new[] { load, second }) await each.WritesOnAsync(cluster["primary"].Port, s_bound);
        foreach (var each in new[] { router, early, ordered })
        {
            Assert.Equal(HostState.ForeignCluster, each.GetHealthStatus()["background"].State);
            await StateAsync(each, "analytics", HostState.Healthy);
        }

        foreach (var each in new[] { load, second }) await each.AssertNothingIsLostOrDoubledAsync(cluster["primary"]);
    }

    [Fact]
    [Trait("Failure", "C3")]
    public async Task A_promoted_clone_that_its_source_calls_a_replica_gets_no_writes()
    {
        await using var cluster = await StartAsync("analytics", "dr");
        await TokenLoad.PrepareAsync(cluster);
        await using var patroni = new MistakenPatroni(cluster, leader: "primary");
        await using var router = await RouterAsync(patroni.Options());
        await using var load = new TokenLoad(router);
        await load.WritesOnAsync(cluster["primary"].Port, s_bound);

        await cluster["dr"].PromoteAsync(Ct);
        await StateAsync(router, "dr", HostState.Fenced);
        // It has never seen the clone as a standby, and has its address from the source.
        await using var late = DatabaseRouter.Create(patroni.Options("primary"));
        await using var second = new TokenLoad(late);
        await FoundAsync(late, "dr", HostState.Fenced);
        foreach (var each in new[] { load, second })
        {
            await each.WritesOnAsync(cluster["primary"].Port, s_bound);
            Assert.Equal(0, each.WrittenOn(cluster["dr"].Port));
            await each.AssertNothingIsLostOrDoubledAsync(cluster["primary"]);
        }

        foreach (var each in new[] { router, late }) Assert.Equal(HostState.Healthy, each.GetHealthStatus()["primary"].State);
    }

    [Fact]
    [Trait("Failure", "C3")]
    public async Task A_server_on_an_absurd_timeline_fences_no_one_even_where_a_source_calls_it_the_leader()
    {
        await using var cluster = await StartAsync("analytics", "dr");
        await TokenLoad.PrepareAsync(cluster);
        await using var patroni = new MistakenPatroni(cluster, leader: "dr");
        await using var router = await RouterAsync(cluster.Options());
        await using var misled = await RouterAsync(patroni.Options("primary", "analytics"));
        await using var load = new TokenLoad(router);
        await using var second = new TokenLoad(misled);
        foreach (var each in new[] { load, second }) await each.WritesOnAsync(cluster["primary"].Port, s_bound);

        // A promotion takes the first timeline that has no history file.
        for (var timeline = 2; timeline <= 60; timeline++)
            await File.WriteAllTextAsync(Path.Combine(cluster["dr"].DataDirectory, "pg_wal", timeline.ToString("X8", CultureInfo.InvariantCulture) + ".history"), "", Ct);
        await cluster["dr"].PromoteAsync(Ct);
        await StateAsync(router, "dr", HostState.Misconfigured);
        await FoundAsync(misled, "dr", HostState.Misconfigured);
        // These start now.
        await using var fresh = DatabaseRouter.Create(cluster.Options());
        await using var guarded = DatabaseRouter.Create(Guarded(patroni.Options("primary")));
        await Eventually.Async(() => fresh.GetHealthStatus()["dr"].State == HostState.Misconfigured, s_bound, "dr is misconfigured");
        foreach (var each in new[] { fresh, guarded }) Assert.Equal("primary", await cluster.WhoAsync(each, DatabaseOperation.Write));
        Assert.Equal(["primary"], guarded.GetHealthStatus().Keys);
        foreach (var each in new[] { load, second })
        {
            await each.WritesOnAsync(cluster["primary"].Port, s_bound);
            Assert.Equal(0, each.WrittenOn(cluster["dr"].Port));
            Assert.True(each.LongestGap < s_bound, $"{each.LongestGap}");
            await each.AssertNothingIsLostOrDoubledAsync(cluster["primary"]);
        }
    }

    /// <summary>All that the source names is refused.</summary>
    private static DatabaseRouterOptions Guarded(DatabaseRouterOptions options)
    {
        options.Discovery.AllowedHosts.Add("*.db.internal");
        return options;
    }

    /// <summary>Hosts that a source names come later than those that are configured.</summary>
    private static Task<TimeSpan> FoundAsync(DatabaseRouter router, string host, HostState state) =>
        Eventually.Async(() => router.GetHealthStatus().TryGetValue(host, out var found) && found.State == state, s_bound, $"{host} is {state}");
}
