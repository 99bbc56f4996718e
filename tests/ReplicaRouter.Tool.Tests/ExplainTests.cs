using System.Text.Json;

namespace ReplicaRouter.Tool.Tests;

/// <summary>Which host an operation would use, and why not the others.</summary>
[Collection(DevelopmentClusterTests.Name)]
public sealed class ExplainTests(DevelopmentClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Writes_go_to_the_primary()
    {
        var run = await fixture.RunAsync("explain", "write", "--json");
        Assert.Equal("primary", run.Json.GetProperty("chosen").GetString());
        Assert.Equal(("rejected", "is a replica"), Of(run, "analytics"));
    }

    [Fact]
    public async Task Analytics_go_to_the_analytics_replica_before_the_others()
    {
        var run = await fixture.RunAsync("explain", "analytics", "--json");
        Assert.Equal("analytics", run.Json.GetProperty("chosen").GetString());
        Assert.Equal(("reserve", "serves when the groups before 'read' can't"), Of(run, "background"));
        Assert.Equal(("reserve", "serves when the groups before 'primary' can't"), Of(run, "primary"));
    }

    [Fact]
    public async Task A_drained_replica_is_rejected()
    {
        var run = await fixture.RunAsync("explain", "read", "--drained", "analytics", "--json");
        Assert.Equal("background", run.Json.GetProperty("chosen").GetString());
        Assert.Equal(("rejected", "is drained"), Of(run, "analytics"));
    }

    [Fact]
    public async Task A_lagging_replica_is_rejected()
    {
        await fixture.Cluster["background"].PauseReplayAsync(Ct);
        try
        {
            await fixture.WriteAsync();
            var run = await fixture.RunAsync("explain", "read", "--json");
            Assert.Equal("analytics", run.Json.GetProperty("chosen").GetString());
            var (standing, reason) = Of(run, "background");
            Assert.Equal("rejected", standing);
            Assert.Contains("lag", reason, StringComparison.Ordinal);
        }
        finally
        {
            await fixture.Cluster["background"].ResumeReplayAsync(Ct);
            await fixture.SettleAsync();
        }
    }

    [Fact]
    public async Task The_table_shows_the_chosen_host()
    {
        var run = await fixture.RunAsync("explain", "background");
        Assert.Contains("'background' goes to background.", run.Output, StringComparison.Ordinal);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Unknown_routes_and_hosts_are_named()
    {
        var run = await fixture.RunAsync("explain", "search");
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith("There is no route 'search'. The options define: write, transactional, read, analytics, background.", run.Error, StringComparison.Ordinal);
        Assert.StartsWith("There is no host 'nobody'.", (await fixture.RunAsync("explain", "read", "--drained", "nobody")).Error, StringComparison.Ordinal);
    }

    private static (string? Standing, string? Reason) Of(ToolRun run, string host)
    {
        var found = run.Json.GetProperty("hosts").EnumerateArray().Single(each => each.GetProperty("host").GetString() == host);
        return (found.GetProperty("standing").GetString(), found.GetProperty("reason").GetString());
    }
}
