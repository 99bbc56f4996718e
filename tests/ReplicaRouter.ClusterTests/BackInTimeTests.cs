using Dapper;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

/// <summary>A replica shows a commit that the primary still hides while it waits for its synchronous standby. Sessions that have read it there do not go back in time.</summary>
[Trait("Failure", "A10")]
public class BackInTimeTests
{
    private const string Value = "SELECT max(value) FROM note";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static readonly OperationOptions s_strong = new() { Consistency = Consistency.Strong };

    /// <summary>No replica is this fresh, so the primary serves instead.</summary>
    private static readonly OperationOptions s_fallback = new() { MaxLag = TimeSpan.FromTicks(1) };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_primary_read_after_a_replica_read_does_not_go_back_in_time_under_load(bool isSynchronous)
    {
        var report = await BackInTimeCheck.RunAsync(new BackInTimeCheckOptions { Pairs = 2_000, IsSynchronous = isSynchronous }, Ct);
        TestContext.Current.TestOutputHelper?.WriteLine(report.ToString());
        Assert.True(report is { BackInTime: 0, Pairs: >= 2_000 }, report.ToString());
    }

    [Fact]
    public async Task The_primary_waits_until_its_standby_has_confirmed_what_the_session_has_seen()
    {
        await using var stage = await Stage.StartAsync("analytics");
        using var session = await stage.SeeHiddenCommitAsync();
        var reads = new[] { stage.ReadAsync(DatabaseOperation.Read, s_strong, session), stage.ReadAsync(DatabaseOperation.Read, s_fallback, session), stage.ReadAsync(DatabaseOperation.Write, default, session) };
        await Task.Delay(200, Ct);
        Assert.DoesNotContain(reads, read => read.IsCompleted);

        stage.Standby.Resume();
        foreach (var read in reads) Assert.Equal((2, "primary"), await read);
    }

    [Fact]
    public async Task A_commit_hidden_for_longer_than_the_route_waits_gives_an_error_that_says_so()
    {
        await using var stage = await Stage.StartAsync("analytics");
        using var session = await stage.SeeHiddenCommitAsync();
        var error = await Assert.ThrowsAsync<NoEligibleHostException>(() => stage.ReadAsync(DatabaseOperation.Read, s_strong, session));
        Assert.True(error.IsTransient);
        Assert.Contains("hides a commit that the session has read on a replica", error.Message, StringComparison.Ordinal);
        Assert.Equal((2, "analytics"), await stage.ReadAsync(DatabaseOperation.Read, default, session));
        // A caller that has not seen the commit does not wait.
        Assert.Equal((1, "primary"), await stage.ReadAsync(DatabaseOperation.Read, s_strong, null));
    }

    [Fact]
    public async Task Another_process_that_continues_with_the_token_waits_too()
    {
        await using var stage = await Stage.StartAsync("analytics");
        using var session = await stage.SeeHiddenCommitAsync();
        await using var other = stage.Cluster.Router();
        using var continued = other.CreateSession(await session.GetTokenAsync(Ct));
        await Assert.ThrowsAsync<NoEligibleHostException>(() => Stage.ReadAsync(stage.Cluster, other, DatabaseOperation.Read, s_strong, continued));
    }

    /// <summary>No replica is left to compare with. The primary's <c>pg_locks</c> and <c>pg_stat_activity</c> show which commits wait for a standby.</summary>
    [Fact]
    public async Task A_session_without_replicas_waits_for_commits_that_wait_for_a_standby()
    {
        await using var stage = await Stage.StartAsync("analytics");
        using var session = await stage.SeeHiddenCommitAsync();
        await stage.Cluster["analytics"].KillAsync(Ct);
        var read = stage.ReadAsync(DatabaseOperation.Read, default, session);
        await Task.Delay(500, Ct);
        Assert.False(read.IsCompleted);
        stage.Standby.Resume();
        Assert.Equal((2, "primary"), await read);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Uncommitted_transactions_delay_no_session(bool isReplicaGone)
    {
        await using var stage = await Stage.StartAsync("analytics");
        using var session = stage.Router.CreateSession();
        await using var idle = new NpgsqlConnection(stage.Cluster.Primary.ConnectionString);
        await idle.OpenAsync(Ct);
        await using var transaction = await idle.BeginTransactionAsync(Ct);
        await idle.ExecuteAsync("INSERT INTO note VALUES (7)");
        await using var busy = new NpgsqlConnection(stage.Cluster.Primary.ConnectionString);
        await busy.OpenAsync(Ct);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var working = busy.ExecuteAsync(new CommandDefinition("DO $$ BEGIN INSERT INTO note VALUES (8); PERFORM pg_sleep(60); END $$", cancellationToken: stop.Token));
        await using var watching = new NpgsqlConnection(stage.Cluster.Primary.ConnectionString);
        await Eventually.Async(async () => await watching.ExecuteScalarAsync<bool>("SELECT count(backend_xid) = 2 FROM pg_stat_activity"), TimeSpan.FromSeconds(10), "both under way");
        Assert.Equal((1, "analytics"), await stage.ReadAsync(DatabaseOperation.Read, default, session));
        if (isReplicaGone) await stage.Cluster["analytics"].KillAsync(Ct);
        await Eventually.Async(() => stage.Router.GetHealthStatus()["analytics"].IsHealthy == !isReplicaGone, TimeSpan.FromSeconds(10), "known to the router");

        var read = await stage.ReadAsync(DatabaseOperation.Read, s_strong, session);
        var wasWorking = !working.IsCompleted;
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => working);
        Assert.Equal((1, "primary"), read);
        Assert.True(wasWorking);
    }

    /// <summary>A primary, a synchronous standby that serves no reads, and a replica that receives each commit at once.</summary>
    private sealed class Stage(LocalCluster cluster, DatabaseRouter router) : IAsyncDisposable
    {
        private Task _writing = Task.CompletedTask;

        public LocalCluster Cluster => cluster;
        public DatabaseRouter Router => router;
        public LocalServer Standby => cluster["standby"];

        public static async Task<Stage> StartAsync(string replica)
        {
            var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new() { Name = replica }, new() { Name = "standby", IsSynchronous = true }] }, Ct);
            await using (var connection = new NpgsqlConnection(cluster.Primary.ConnectionString)) await connection.ExecuteAsync("CREATE TABLE note (value int); INSERT INTO note VALUES (1)");
            await cluster.WaitForReplicationAsync(Ct);
            var router = DatabaseRouter.Create(cluster.RouterOptions("primary", replica));
            await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all healthy");
            return new Stage(cluster, router);
        }

        /// <summary>Suspends the synchronous standby, starts a commit that waits for it, and returns a session that has read the row on the replica.</summary>
        public async Task<DatabaseSession> SeeHiddenCommitAsync()
        {
            Standby.Suspend();
            _writing = WriteAsync();
            var session = router.CreateSession();
            await Eventually.Async(async () => await ReadAsync(DatabaseOperation.Read, default, session) == (2, "analytics"), TimeSpan.FromSeconds(10), "shown by the replica");
            return session;
        }

        public Task<(int Value, string Server)> ReadAsync(DatabaseRoute route, OperationOptions? options, DatabaseSession? session) => ReadAsync(cluster, router, route, options, session);

        public static Task<(int Value, string Server)> ReadAsync(LocalCluster cluster, DatabaseRouter router, DatabaseRoute route, OperationOptions? options, DatabaseSession? session) =>
            router.ExecuteAsync(route, async (connection, _) => (await connection.ExecuteScalarAsync<int>(Value), await cluster.WhoAsync(connection)), (options ?? new OperationOptions()) with { Session = session }, Ct);

        public async ValueTask DisposeAsync()
        {
            Standby.Resume();
            await _writing;
            await router.DisposeAsync();
            await cluster.DisposeAsync();
        }

        private async Task WriteAsync()
        {
            await using var connection = new NpgsqlConnection(cluster.Primary.ConnectionString);
            await connection.ExecuteAsync("INSERT INTO note VALUES (2)");
        }
    }
}
