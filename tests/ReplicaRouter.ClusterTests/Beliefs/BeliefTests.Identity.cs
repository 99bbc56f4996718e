using System.Globalization;
using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Beliefs;

public sealed partial class BeliefTests
{
    [Fact]
    [Trait("Failure", "A2")]
    public async Task A_cluster_that_replaces_the_former_one_is_followed()
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
    public async Task Writes_resume_on_an_accepted_cluster_although_a_replica_of_the_former_remains()
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
        // This router has never seen the former primary, so it follows the configured one.
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
        // This router has already seen the configured primary.
        await using var early = DatabaseRouter.Create(options);
        await using var second = new TokenLoad(early);
        await second.WritesOnAsync(cluster["primary"].Port, s_bound);
        await cluster["primary"].StopAsync(StopMode.Fast, Ct);
        await cluster["analytics"].StopAsync(StopMode.Fast, Ct);
        await using var router = DatabaseRouter.Create(options);
        await Eventually.Async(() => router.GetHealthStatus()["background"].IsHealthy, s_bound, "only the foreign replica answers");
        Assert.Equal(HostState.ForeignCluster, early.GetHealthStatus()["background"].State);
        await using var load = new TokenLoad(router);
        await using var ordered = DatabaseRouter.Create(options);
        await Eventually.Async(() => ordered.GetHealthStatus()["background"].IsHealthy, s_bound, "only the foreign replica answers");

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
    public async Task A_promoted_clone_that_a_source_calls_a_replica_gets_no_writes()
    {
        await using var cluster = await StartAsync("analytics", "dr");
        await TokenLoad.PrepareAsync(cluster);
        await using var patroni = new MistakenPatroni(cluster, leader: "primary");
        await using var router = await RouterAsync(patroni.Options());
        await using var load = new TokenLoad(router);
        await load.WritesOnAsync(cluster["primary"].Port, s_bound);

        await cluster["dr"].PromoteAsync(Ct);
        await StateAsync(router, "dr", HostState.Fenced);
        // This router has never seen the clone as a standby, and gets its address from the source.
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
    public async Task A_server_on_an_absurd_timeline_fences_no_host_even_if_a_source_calls_it_leader()
    {
        await using var cluster = await StartAsync("analytics", "dr");
        await TokenLoad.PrepareAsync(cluster);
        await using var patroni = new MistakenPatroni(cluster, leader: "dr");
        await using var router = await RouterAsync(cluster.Options());
        await using var misled = await RouterAsync(patroni.Options("primary", "analytics"));
        await using var load = new TokenLoad(router);
        await using var second = new TokenLoad(misled);
        foreach (var each in new[] { load, second }) await each.WritesOnAsync(cluster["primary"].Port, s_bound);

        // A promotion picks the first timeline without a history file.
        for (var timeline = 2; timeline <= 60; timeline++)
            await File.WriteAllTextAsync(Path.Combine(cluster["dr"].DataDirectory, "pg_wal", timeline.ToString("X8", CultureInfo.InvariantCulture) + ".history"), "", Ct);
        await cluster["dr"].PromoteAsync(Ct);
        await StateAsync(router, "dr", HostState.Misconfigured);
        await FoundAsync(misled, "dr", HostState.Misconfigured);
        // These routers start after the promotion.
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

    /// <summary>Refuses every host that the source names.</summary>
    private static DatabaseRouterOptions Guarded(DatabaseRouterOptions options)
    {
        options.Discovery.AllowedHosts.Add("*.db.internal");
        return options;
    }

    /// <summary>Waits for a host that a source names: it appears later than the configured ones.</summary>
    private static Task<TimeSpan> FoundAsync(DatabaseRouter router, string host, HostState state) =>
        Eventually.Async(() => router.GetHealthStatus().TryGetValue(host, out var found) && found.State == state, s_bound, $"{host} is {state}");
}
