using System.Diagnostics;
using Dapper;
using Npgsql;
using static ReplicaRouter.Testing.Tests.Probe;

namespace ReplicaRouter.Testing.Tests;

public class LocalClusterTests(ITestOutputHelper output)
{
    private static Task<LocalCluster> StartAsync(params LocalReplicaOptions[] replicas) =>
        LocalCluster.StartAsync(new LocalClusterOptions { Replicas = replicas }, Ct);

    private static LocalReplicaOptions Replica(string name, string? upstream = null, bool synchronous = false) =>
        new() { Name = name, Upstream = upstream, IsSynchronous = synchronous };

    private static Task<object> CreateTableAsync(LocalCluster cluster) => cluster.Primary.AskAsync<object>("CREATE TABLE t AS SELECT 1 AS n");

    private static Task<long> CountAsync(LocalServer server) => server.AskAsync<long>("SELECT count(*) FROM t");

    [Fact]
    public async Task A_primary_and_three_replicas_replicate_to_an_ordinary_role_with_a_password()
    {
        var watch = Stopwatch.StartNew();
        await using var cluster = await LocalCluster.StartAsync(cancellationToken: Ct);
        output.WriteLine($"ready in {watch.Elapsed.TotalSeconds:0.0} s");
        Assert.Equal(["primary", "analytics", "background", "dr"], cluster.Servers.Select(s => s.Name));
        Assert.Equal(
            ["DATABASE_READ_REPLICA_1_URL", "DATABASE_READ_REPLICA_2_URL", "DATABASE_READ_REPLICA_DR_URL", "DATABASE_URL"],
            cluster.EnvironmentVariables.Keys.Order(StringComparer.Ordinal));
        await CreateTableAsync(cluster);
        await cluster.WaitForReplicationAsync(Ct);
        foreach (var replica in cluster.Servers.Skip(1))
        {
            Assert.True(await replica.AskAsync<bool>("SELECT pg_is_in_recovery()"));
            Assert.Equal(1, await CountAsync(replica));
        }

        Assert.False(await cluster.Primary.AskAsync<bool>("SELECT usesuper FROM pg_user WHERE usename = current_user"));
        var wrong = new NpgsqlConnectionStringBuilder(cluster.Primary.ConnectionString) { Password = "wrong" }.ConnectionString;
        Assert.Equal("28P01", (await Assert.ThrowsAsync<PostgresException>(() => AskAsync<int>(wrong, "SELECT 1"))).SqlState);
    }

    [Fact]
    public async Task A_killed_replica_refuses_connections_and_serves_after_start()
    {
        await using var cluster = await StartAsync(Replica("a"));
        var server = cluster["a"];
        await server.KillAsync(Ct);
        Assert.False(server.IsRunning);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => server.AskAsync<int>("SELECT 1"));
        await server.StartAsync(Ct);
        Assert.Equal(1, await server.AskAsync<int>("SELECT 1"));
        await server.StopAsync(StopMode.Fast, Ct);
        await server.StartAsync(Ct);
        await server.StopAsync(StopMode.Immediate, Ct);
        await server.StartAsync(Ct);
        Assert.Equal(1, await server.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task A_suspended_server_answers_nothing_and_a_suspended_postmaster_only_blocks_logins()
    {
        await using var cluster = await StartAsync(Replica("a"));
        var server = cluster["a"];
        await using var open = new NpgsqlConnection(server.ConnectionString);
        await open.OpenAsync(Ct);

        server.SuspendPostmaster();
        Assert.Equal(1, await open.ExecuteScalarAsync<int>("SELECT 1"));
        await Assert.ThrowsAnyAsync<Exception>(() => server.AskAsync<int>("SELECT 1"));
        server.ResumePostmaster();
        Assert.Equal(1, await server.AskAsync<int>("SELECT 1"));

        server.Suspend();
        await Assert.ThrowsAnyAsync<Exception>(() => server.AskAsync<int>("SELECT 1"));
        server.Resume();
        Assert.Equal(1, await server.AskAsync<int>("SELECT 1"));
        server.Suspend();
        await server.KillAsync(Ct);
        Assert.False(server.IsRunning);
    }

    [Fact]
    public async Task Replay_is_paused_delayed_and_cut_while_the_standby_keeps_serving()
    {
        await using var cluster = await StartAsync(Replica("a"));
        var server = cluster["a"];
        await CreateTableAsync(cluster);
        await cluster.WaitForReplicationAsync(Ct);

        await server.PauseReplayAsync(Ct);
        await cluster.Primary.AskAsync<object>("INSERT INTO t VALUES (2)");
        Assert.Equal(1, await CountAsync(server));
        await server.ResumeReplayAsync(Ct);
        await UntilAsync(async () => await CountAsync(server) == 2, "replayed");

        await server.CutStreamingAsync(Ct);
        await cluster.Primary.AskAsync<object>("INSERT INTO t VALUES (3)");
        Assert.Equal(2, await CountAsync(server));
        await server.RestoreStreamingAsync(Ct);
        await UntilAsync(async () => await CountAsync(server) == 3, "streamed again");

        await server.SetApplyDelayAsync(TimeSpan.FromMinutes(5), Ct);
        await cluster.Primary.AskAsync<object>("INSERT INTO t VALUES (4)");
        Assert.Equal(3, await CountAsync(server));
        await server.SetApplyDelayAsync(TimeSpan.Zero, Ct);
        await UntilAsync(async () => await CountAsync(server) == 4, "no longer delayed");
    }

    [Fact]
    public async Task A_promoted_standby_takes_writes_the_others_follow_it_and_the_old_primary_rejoins()
    {
        await using var cluster = await StartAsync(Replica("a"), Replica("b"));
        await CreateTableAsync(cluster);
        await cluster.WaitForReplicationAsync(Ct);
        await cluster["primary"].KillAsync(Ct);
        await cluster.PromoteAsync("a", cancellationToken: Ct);
        Assert.Equal("a", cluster.Primary.Name);
        await cluster["a"].AskAsync<object>("INSERT INTO t VALUES (2)");
        await UntilAsync(async () => await CountAsync(cluster["b"]) == 2, "b follows a");

        await cluster["primary"].StartAsync(Ct);
        Assert.False(await cluster["primary"].AskAsync<bool>("SELECT pg_is_in_recovery()"));
        await cluster["primary"].AskAsync<object>("INSERT INTO t VALUES (99)");
        await cluster.RejoinAsync("primary", Ct);
        Assert.True(await cluster["primary"].AskAsync<bool>("SELECT pg_is_in_recovery()"));
        await UntilAsync(async () => await CountAsync(cluster["primary"]) == 2, "the old primary has only the new one's rows");
    }

    [Fact]
    public async Task Replicas_are_cascaded_synchronous_added_and_removed()
    {
        await using var cluster = await StartAsync(Replica("a", synchronous: true), Replica("b", upstream: "a"));
        await UntilAsync(async () => await AskAsync<string>(cluster.Primary.SuperuserConnectionString, "SELECT string_agg(sync_state, ' ') FROM pg_stat_replication") == "sync", "only a streams, in sync");
        await CreateTableAsync(cluster);
        await cluster.AddReplicaAsync(Replica("c"), Ct);
        await cluster.WaitForReplicationAsync(Ct);
        Assert.Equal(1, await CountAsync(cluster["b"]));
        Assert.Equal(1, await CountAsync(cluster["c"]));
        await Assert.ThrowsAsync<InvalidOperationException>(() => cluster.RemoveReplicaAsync("a", Ct));
        await cluster.RemoveReplicaAsync("c", Ct);
        Assert.Equal(["primary", "a", "b"], cluster.Servers.Select(s => s.Name));
        Assert.Throws<KeyNotFoundException>(() => cluster["c"]);
    }

    [Fact]
    public async Task Clusters_run_side_by_side_and_leave_nothing_behind()
    {
        var clusters = await Task.WhenAll(StartAsync(Replica("a")), StartAsync(Replica("a")));
        var servers = clusters.SelectMany(cluster => cluster.Servers).ToList();
        Assert.Equal(4, servers.Select(server => server.Port).Distinct().Count());
        var folders = servers.Select(server => Path.GetDirectoryName(server.DataDirectory)!).Distinct().ToList();
        clusters[0].Servers[1].Suspend();
        foreach (var cluster in clusters) await cluster.DisposeAsync();
        Assert.All(folders, folder => Assert.False(Directory.Exists(folder)));
        Assert.All(servers, server => Assert.False(server.IsRunning));
    }
}
