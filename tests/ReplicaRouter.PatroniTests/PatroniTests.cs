using Dapper;
using Npgsql;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.PatroniTests;

/// <summary>What callers of the router notice when Patroni changes the leader. Each test has its own cluster.</summary>
public class PatroniTests
{
    /// <summary>The kernel closes a killed process's sockets shortly after the process ends: until then, commands can still be sent there.</summary>
    private static readonly TimeSpan s_closing = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan s_return = TimeSpan.FromSeconds(60);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_switchover_under_load_fails_no_read_and_no_write()
    {
        await using var cluster = await PatroniCluster.StartAsync(Ct);
        await using var router = await RouterAsync(cluster);
        await using var load = await Load.StartAsync(router, cluster.Nodes, Ct);
        await WaitForWritesAsync(load, 200);
        var former = await cluster.LeaderAsync(Ct);
        var candidate = cluster.Nodes.First(node => node != former);

        var startedAt = load.Now;
        var promotion = PromotionWatch.FirstAsync([candidate], load, s_return, Ct);
        await cluster.SwitchOverAsync(candidate, Ct);
        var promotedAt = await promotion;
        await Wait.UntilAsync(() => FirstWriteBy(load, candidate) is not null, s_return, () => Report(load, "No write on the new leader."), Ct);
        await WaitForStandbyReadsAsync(load, former);
        await load.StopAsync();

        var firstWrite = FirstWriteBy(load, candidate)!;
        var lastWrite = load.Writes.Where(write => write.Port == former.Port).Max(write => write.At);
        Say($"switchover requested at {startedAt.TotalSeconds:F3} s, last write of the former leader {lastWrite.TotalSeconds:F3}, promotion {promotedAt.TotalSeconds:F3}, first write {firstWrite.At.TotalSeconds:F3}");
        var found = await TokensAsync(candidate);
        SayAll(load, found);
        Assert.True(load.FailedReads.IsEmpty && load.FailedWrites.IsEmpty, Report(load, "Operations failed."));
        Assert.DoesNotContain(load.Writes, write => found.GetValueOrDefault(write.Token) != 1);
    }

    [Fact]
    public async Task A_killed_leader_fails_no_read_and_writes_resume_within_1_s_of_the_promotion()
    {
        await using var cluster = await PatroniCluster.StartAsync(Ct);
        await using var router = await RouterAsync(cluster);
        await using var load = await Load.StartAsync(router, cluster.Nodes, Ct);
        await WaitForWritesAsync(load, 200);
        var killed = await cluster.LeaderAsync(Ct);

        // A write that was sent before its server died can fail, as its outcome is unknown. All others must wait for the new leader.
        killed.KillAll();
        var killedAt = load.Now;
        var promotedAt = await PromotionWatch.FirstAsync(cluster.Nodes.Where(node => node != killed), load, s_return, Ct);
        await Wait.UntilAsync(() => FirstWriteNotBy(load, killed) is not null, s_return, () => Report(load, "No write on the new leader."), Ct);
        killed.Start();
        await WaitForStandbyReadsAsync(load, killed);
        await load.StopAsync();

        var firstWrite = FirstWriteNotBy(load, killed)!;
        Say($"killed at {killedAt.TotalSeconds:F3} s, promotion {promotedAt.TotalSeconds:F3}, first write {firstWrite.At.TotalSeconds:F3}");
        var found = await TokensAsync(await cluster.LeaderAsync(Ct));
        SayAll(load, found);
        Assert.True(load.FailedReads.IsEmpty, Report(load, "Reads failed."));
        Assert.True(load.FailedWrites.All(failure => failure.SentAt < killedAt + s_closing), Report(load, "Writes failed that were not in flight at the kill."));
        Assert.True(firstWrite.At - promotedAt < TimeSpan.FromSeconds(1), $"Writes resumed {(firstWrite.At - promotedAt).TotalMilliseconds:F0} ms after the promotion.");
        Assert.DoesNotContain(found, token => token.Value > 1);
    }

    [Fact]
    public async Task Members_from_Patronis_API_serve_through_a_switchover_without_errors()
    {
        await using var cluster = await PatroniCluster.StartAsync(Ct);
        var options = new DatabaseRouterOptions { ApplicationName = "patroni tests" };
        // Only one host to start with, and one member's API, which names the other members.
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = cluster.Nodes[0].ConnectionString };
        options.Discovery.Patroni.Urls.Add(cluster.Nodes[0].Api.ToString());
        options.Discovery.Interval = TimeSpan.FromSeconds(1);
        options.Routes["write"] = new DatabaseRouteOptions { Wait = TimeSpan.FromSeconds(60) };
        await using var router = DatabaseRouter.Create(options);
        await Wait.UntilAsync(() => router.GetHealthStatus() is { Count: 3 } hosts && hosts.Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(20), () => "The router has not found three healthy hosts.", Ct);
        Assert.Equal(cluster.Nodes.Select(node => node.Name).Order(StringComparer.Ordinal), router.GetHealthStatus().Keys.Order(StringComparer.Ordinal));

        await using var load = await Load.StartAsync(router, cluster.Nodes, Ct);
        await WaitForWritesAsync(load, 100);
        var former = await cluster.LeaderAsync(Ct);
        var candidate = cluster.Nodes.First(node => node != former && node.Name != "primary");
        await cluster.SwitchOverAsync(candidate, Ct);
        await Wait.UntilAsync(() => FirstWriteBy(load, candidate) is not null, s_return, () => Report(load, "No write on the new leader."), Ct);
        await WaitForStandbyReadsAsync(load, former);
        await load.StopAsync();
        Assert.True(load.FailedReads.IsEmpty && load.FailedWrites.IsEmpty, Report(load, "Operations failed."));
        Assert.Equal(HostRole.Primary, router.GetHealthStatus()[candidate.Name].Role);

        cluster.Nodes[0].KillAll();
        await Wait.UntilAsync(() => router.GetHealthStatus().Values.Count(host => host.IsHealthy) == 2, s_return, () => "The router still considers the killed host healthy.", Ct);
        // Patroni forgets a member after its ttl of 20 s. The router keeps this one, because it is configured.
        Assert.Equal(3, router.GetHealthStatus().Count);
        Assert.Equal(candidate.Port, await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteScalarAsync<int>("SELECT current_setting('port')::int"), Ct));
    }

    /// <summary>Creates a router for the three nodes, and waits until all are healthy.</summary>
    private static async Task<DatabaseRouter> RouterAsync(PatroniCluster cluster)
    {
        var options = new DatabaseRouterOptions { ApplicationName = "patroni tests" };
        foreach (var node in cluster.Nodes) options.Hosts[node.Name] = new DatabaseHostOptions { ConnectionString = node.ConnectionString };
        // Patroni declares a leader dead after its ttl of 20 s.
        options.Routes["write"] = new DatabaseRouteOptions { Wait = TimeSpan.FromSeconds(60) };
        var router = DatabaseRouter.Create(options);
        await Wait.UntilAsync(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(20), () => "The router has not found three healthy hosts.", Ct);
        return router;
    }

    private static Task WaitForWritesAsync(Load load, int count) =>
        Wait.UntilAsync(() => load.Writes.Count >= count, TimeSpan.FromSeconds(20), () => Report(load, $"Fewer than {count} writes."), Ct);

    private static Task WaitForStandbyReadsAsync(Load load, PatroniNode node) =>
        Wait.UntilAsync(() => load.StandbyReadsOf(node) > 10, s_return, () => Report(load, $"'{node.Name}' does not serve reads as a standby."), Ct);

    private static Acknowledgement? FirstWriteBy(Load load, PatroniNode node) => load.Writes.FirstOrDefault(write => write.Port == node.Port);

    private static Acknowledgement? FirstWriteNotBy(Load load, PatroniNode node) => load.Writes.FirstOrDefault(write => write.Port != node.Port);

    /// <summary>Returns the number of times that each token was written.</summary>
    private static async Task<Dictionary<string, long>> TokensAsync(PatroniNode leader)
    {
        await using var connection = new NpgsqlConnection(leader.ConnectionString);
        return (await connection.QueryAsync<(string Token, long Count)>("SELECT token, count(*) FROM written GROUP BY token")).ToDictionary(row => row.Token, row => row.Count);
    }

    private static string Report(Load load, string what) =>
        $"{what} {load.ReadCount} reads, {load.Writes.Count} writes; failed: {load.FailedReads.Count} reads, {load.FailedWrites.Count} writes\n"
        + string.Join('\n', load.FailedReads.Concat(load.FailedWrites).Take(20));

    private static void SayAll(Load load, Dictionary<string, long> found)
    {
        Say(Report(load, "In total:"));
        Say($"acknowledged writes that were lost: {load.Writes.Count(write => !found.ContainsKey(write.Token))}; failed writes that were executed: {load.FailedWrites.Count(failure => found.ContainsKey(failure.What))}");
    }

    private static void Say(string text) => TestContext.Current.TestOutputHelper?.WriteLine(text);
}
