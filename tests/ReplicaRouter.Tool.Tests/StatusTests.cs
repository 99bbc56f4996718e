using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Tests;

/// <summary>The state of the hosts, once and repeatedly.</summary>
[Collection(DevelopmentClusterTests.Name)]
public sealed class StatusTests(DevelopmentClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_host_is_shown_with_its_role_lag_and_connections()
    {
        var run = await fixture.RunAsync("status", "--json");
        Assert.Equal(0, run.ExitCode);
        var hosts = run.Json.GetProperty("hosts").EnumerateArray().ToDictionary(host => host.GetProperty("name").GetString()!);
        Assert.Equal(["primary", "analytics", "background", "dr"], hosts.Keys);
        Assert.Equal("primary", hosts["primary"].GetProperty("role").GetString());
        foreach (var host in hosts.Values)
        {
            Assert.Equal(1, host.GetProperty("timeline").GetInt32());
            Assert.InRange(host.GetProperty("latencyMs").GetDouble(), 0.001, 1000);
            Assert.InRange(host.GetProperty("connections").GetInt32(), 1, host.GetProperty("maxConnections").GetInt32());
        }

        Assert.Equal(0, hosts["analytics"].GetProperty("lagMs").GetDouble());
        Assert.Equal(0, hosts["analytics"].GetProperty("lagBytes").GetInt64());
    }

    [Fact]
    public async Task A_host_that_is_down_is_shown_with_the_reason()
    {
        await fixture.Cluster["dr"].StopAsync(cancellationToken: Ct);
        try
        {
            var run = await fixture.RunAsync("status");
            Assert.Equal(1, run.ExitCode);
            Assert.Contains("Down", run.Output, StringComparison.Ordinal);
            Assert.Contains("dr: 127.0.0.1:", run.Output, StringComparison.Ordinal);
        }
        finally
        {
            await fixture.Cluster["dr"].StartAsync(Ct);
            await fixture.SettleAsync();
        }
    }

    [Fact]
    public async Task Watch_shows_the_state_until_it_is_stopped()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        using var output = new LineWatcher(line: 2, stop.Cancel);
        using var error = new StringWriter();
        Assert.Equal(0, await ToolCommands.RunAsync(["watch", "--json", .. fixture.Urls()], output, error, stop.Token));
        Assert.All(output.Lines, line => Assert.StartsWith("{\"hosts\":[", line, StringComparison.Ordinal));
        Assert.InRange(output.Lines.Count, 2, 3);
    }

    /// <summary>Runs an action at a line.</summary>
    private sealed class LineWatcher(int line, Action act) : StringWriter
    {
        public List<string> Lines { get; } = [];

        public override void WriteLine(string? value)
        {
            Lines.Add(value ?? "");
            if (Lines.Count == line) act();
        }
    }
}
