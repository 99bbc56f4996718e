using ReplicaRouter.Testing;
using ReplicaRouter.Tool.Clusters;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Tests;

/// <summary>Commands for one server of a local cluster, and what a router then sees.</summary>
public sealed class ServerCommandTests : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"replica-router-tests-{Guid.NewGuid():N}");
    private DatabaseRouter? _router;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_router is not null) await _router.DisposeAsync();
        await ToolRun.Async(["cluster", "down", "--delete-data", "--name", "test", "--directory", _directory], CancellationToken.None);
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    private Task<ToolRun> RunAsync(params string[] args) => ToolRun.Async(["cluster", .. args, "--name", "test", "--directory", _directory]);

    /// <summary>Runs a command that must succeed, and returns its messages.</summary>
    private async Task<string> DoAsync(params string[] args)
    {
        var run = await RunAsync(args);
        Assert.True(run.ExitCode == 0, run.Error);
        return run.Error;
    }

    private async Task SeesAsync(string host, HostState state)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (_router!.GetHealthStatus()[host].State != state)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_limit, $"{host} is {_router.GetHealthStatus()[host].State} and not {state}.");
            await Task.Delay(50, Ct);
        }
    }

    private async Task StartAsync()
    {
        await DoAsync("up", "--replicas", "2");
        await using var cluster = await LocalCluster.OpenAsync(Path.Combine(_directory, "test"), Ct);
        var options = new DatabaseRouterOptions();
        foreach (var server in cluster.Servers) options.Hosts[server.Name] = new DatabaseHostOptions { ConnectionString = server.Url };
        _router = DatabaseRouter.Create(options);
        foreach (var server in cluster.Servers) await SeesAsync(server.Name, HostState.Healthy);
    }

    [Fact]
    public async Task A_replica_is_killed_started_paused_and_resumed()
    {
        await StartAsync();
        Assert.Contains("Routers see it as Down", await DoAsync("kill", "analytics"), StringComparison.Ordinal);
        await SeesAsync("analytics", HostState.Down);
        Assert.Contains("analytics is not running", (await RunAsync("pause", "analytics")).Error, StringComparison.Ordinal);
        Assert.Contains("as a replica", await DoAsync("start", "analytics"), StringComparison.Ordinal);
        Assert.Contains("is already running", (await RunAsync("start", "analytics")).Error, StringComparison.Ordinal);
        await SeesAsync("analytics", HostState.Healthy);

        Assert.Contains("is frozen", await DoAsync("pause", "analytics"), StringComparison.Ordinal);
        await SeesAsync("analytics", HostState.Hung);
        await DoAsync("resume", "analytics");
        await SeesAsync("analytics", HostState.Healthy);
    }

    [Fact]
    public async Task A_replica_lags_and_replaces_a_killed_primary_which_returns_fenced()
    {
        await StartAsync();
        Assert.Contains("replays each commit when it is 600 s old", await DoAsync("lag", "background", "10min"), StringComparison.Ordinal);
        await _router!.ExecuteAsync(DatabaseOperation.Write, async (connection, ct) =>
        {
            await using var command = new Npgsql.NpgsqlCommand("CREATE TABLE written AS SELECT 1 AS one", connection);
            return await command.ExecuteNonQueryAsync(ct);
        }, Ct);
        await SeesAsync("background", HostState.Lagging);
        await DoAsync("lag", "background", "0");
        await SeesAsync("background", HostState.Healthy);
        Assert.Contains("is the primary", (await RunAsync("lag", "primary", "1s")).Error, StringComparison.Ordinal);

        Assert.Contains("Routers have no primary", await DoAsync("kill", "primary"), StringComparison.Ordinal);
        Assert.Contains("analytics is the primary", await DoAsync("promote", "analytics"), StringComparison.Ordinal);
        await SeesAsync("analytics", HostState.Healthy);
        Assert.Contains("see it as Fenced", await DoAsync("start", "primary"), StringComparison.Ordinal);
        await SeesAsync("primary", HostState.Fenced);
        var status = await RunAsync("status");
        Assert.Equal(1, status.ExitCode);
        Assert.Contains("second primary", status.Output, StringComparison.Ordinal);
        Assert.Contains("primary of 'test' is a second primary: it takes writes, which are lost", status.Error, StringComparison.Ordinal);
        Assert.Contains("primary of 'test' is a second primary", await DoAsync("up"), StringComparison.Ordinal);
        await DoAsync("kill", "primary");
        Assert.DoesNotContain("second primary", await DoAsync("up"), StringComparison.Ordinal);
        await SeesAsync("primary", HostState.Healthy);
        Assert.Equal(HostRole.Replica, _router.GetHealthStatus()["primary"].Role);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("500ms", 500)]
    [InlineData("10s", 10_000)]
    [InlineData("10", 10_000)]
    [InlineData("2min", 120_000)]
    public void Delays_have_a_unit(string text, double milliseconds) => Assert.Equal(milliseconds, ServerCommands.DelayOf(text).TotalMilliseconds);

    [Theory]
    [InlineData("-1s")]
    [InlineData("soon")]
    [InlineData("1h")]
    [InlineData("99999999min")]
    public void Other_texts_are_not_a_delay(string text) => Assert.Throws<ToolException>(() => ServerCommands.DelayOf(text));

    [Fact]
    public async Task An_unknown_server_is_refused_with_the_known_names()
    {
        await DoAsync("up", "--replicas", "0");
        var run = await RunAsync("kill", "analytics");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("There is no server 'analytics'. The servers are: primary", run.Error, StringComparison.Ordinal);
    }
}
