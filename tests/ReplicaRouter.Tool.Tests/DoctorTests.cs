using System.Text.Json;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Tool.Tests;

/// <summary>The doctor on a real cluster that is healthy, or broken in one way at a time.</summary>
[Collection(DevelopmentClusterTests.Name)]
public sealed class DoctorTests(DevelopmentClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_cluster_that_is_set_up_well_passes_all_checks()
    {
        var run = await fixture.RunAsync("doctor", "--json");
        Assert.Empty(Findings(run));
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("ok", run.Json.GetProperty("verdict").GetString());
        foreach (var check in run.Json.GetProperty("checks").EnumerateArray())
        {
            Assert.NotEmpty(check.GetProperty("evidence").GetString()!);
            Assert.NotEmpty(check.GetProperty("why").GetString()!);
        }
    }

    [Fact]
    public async Task The_table_shows_what_is_wrong_why_it_matters_and_the_fix()
    {
        var run = await fixture.RunAsync("doctor", "--instances", "20");
        Assert.Contains("connection-budget", run.Output, StringComparison.Ordinal);
        Assert.Contains("fix: Lower MaxPoolSize", run.Output, StringComparison.Ordinal);
        Assert.Contains("why: When a server runs out of connections", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("analytics", "hot_standby_feedback", "off", "hot-standby-feedback", "hot_standby_feedback = on")]
    [InlineData("background", "wal_receiver_status_interval", "0", "receiver-status", "wal_receiver_status_interval = '10s'")]
    [InlineData("analytics", "max_standby_streaming_delay", "0", "standby-delay", "max_standby_streaming_delay = '30s'")]
    [InlineData("analytics", "max_standby_streaming_delay", "-1", "standby-delay", "max_standby_streaming_delay = '30s'")]
    [InlineData("primary", "synchronous_commit", "off", "synchronous-commit", "synchronous_commit = on")]
    public async Task A_wrong_setting_is_a_warning(string server, string parameter, string value, string check, string fix)
    {
        await fixture.SetAsync(server, parameter, value);
        try
        {
            await AssertOnlyAsync(check, "warning", $"{server}: {parameter} is {value}", fix);
        }
        finally
        {
            await fixture.SetAsync(server, parameter, null);
            await fixture.SettleAsync();
        }
    }

    [Fact]
    public async Task A_replica_that_does_not_stream_is_a_failure()
    {
        await fixture.Cluster["analytics"].CutStreamingAsync(Ct);
        try
        {
            await AssertOnlyAsync("streaming", "failure", "analytics: no WAL receiver runs", "primary_conninfo");
        }
        finally
        {
            await fixture.Cluster["analytics"].RestoreStreamingAsync(Ct);
        }
    }

    [Fact]
    public async Task Paused_replay_is_a_failure()
    {
        await fixture.Cluster["analytics"].PauseReplayAsync(Ct);
        try
        {
            await fixture.WriteAsync();
            await AssertOnlyAsync("replication-lag", "failure", "analytics: replay is paused", "pg_wal_replay_resume()");
        }
        finally
        {
            await fixture.Cluster["analytics"].ResumeReplayAsync(Ct);
            await fixture.SettleAsync();
        }
    }

    [Fact]
    public async Task A_replica_that_lags_is_a_failure()
    {
        await fixture.Cluster["background"].SetApplyDelayAsync(TimeSpan.FromMinutes(10), Ct);
        try
        {
            await fixture.WriteAsync();
            await AssertOnlyAsync("replication-lag", "failure", "background: replication lag unknown", "recovery_min_apply_delay");
        }
        finally
        {
            await fixture.Cluster["background"].SetApplyDelayAsync(TimeSpan.Zero, Ct);
            await fixture.SettleAsync();
        }
    }

    [Fact]
    public async Task A_host_of_another_cluster_is_a_failure()
    {
        await using var other = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [] }, Ct);
        await AssertOnlyAsync("one-cluster", "failure", "background: 127.0.0.1:", "--url of 'background'", fixture.Urls(("background", other.Primary.Url)));
    }

    [Fact]
    public async Task Swapped_roles_are_a_warning()
    {
        var exchanged = fixture.Urls(("primary", fixture.Cluster["analytics"].Url), ("analytics", fixture.Cluster["primary"].Url));
        await AssertOnlyAsync("roles", "warning", "analytics is the primary, and primary is a standby", "exchange the addresses", exchanged);
    }

    [Fact]
    public async Task A_configuration_with_only_standbys_is_a_failure()
    {
        string[] standbys = ["--url", fixture.Cluster["analytics"].Url, "--url", fixture.Cluster["background"].Url];
        await AssertOnlyAsync("roles", "failure", "no host takes writes", "set DATABASE_URL to the primary", standbys);
    }

    [Fact]
    public async Task A_slot_that_holds_WAL_for_no_reader_is_a_warning()
    {
        await fixture.ExecuteAsync("primary", "SELECT pg_create_physical_replication_slot('forgotten', true)");
        try
        {
            await AssertOnlyAsync("replication-slots", "warning", "primary: slot 'forgotten' has no reader", "pg_drop_replication_slot('forgotten')");
        }
        finally
        {
            await fixture.ExecuteAsync("primary", "SELECT pg_drop_replication_slot('forgotten')");
        }
    }

    [Fact]
    public async Task Too_few_connections_for_all_instances_are_a_failure() =>
        await AssertOnlyAsync("connection-budget", "failure", "20 instances can open 1840 connections to primary; max_connections is 100", "raise max_connections to 1843", [.. fixture.Urls(), "--instances", "20"]);

    [Fact]
    public async Task A_superuser_is_a_failure() =>
        await AssertOnlyAsync("credentials", "failure", "user 'replicarouter' is a superuser", "CREATE ROLE",
            fixture.Urls([.. fixture.Cluster.Servers.Select(server => (server.Name, fixture.SuperuserUrl(server.Name)))]));

    [Fact]
    public async Task A_role_that_cannot_see_timelines_is_a_warning()
    {
        await fixture.ExecuteAsync("primary", "REVOKE pg_monitor FROM app");
        try
        {
            await fixture.SettleAsync();
            await AssertOnlyAsync("credentials", "warning", "user 'app' is not a member of pg_monitor", "GRANT pg_monitor TO \"app\"");
        }
        finally
        {
            await fixture.ExecuteAsync("primary", "GRANT pg_monitor TO app");
            await fixture.SettleAsync();
        }
    }

    [Fact]
    public async Task A_host_that_is_down_is_a_failure()
    {
        await fixture.Cluster["background"].StopAsync(cancellationToken: Ct);
        try
        {
            await AssertOnlyAsync("reachable", "failure", "refuses connections", "Start the server");
        }
        finally
        {
            await fixture.Cluster["background"].StartAsync(Ct);
            await fixture.SettleAsync();
        }
    }

    [Fact]
    public async Task A_wrong_password_is_a_failure_that_does_not_show_it()
    {
        var url = $"postgresql://app:no-such-password@127.0.0.1:{fixture.Cluster["dr"].Port}/app";
        var run = await AssertOnlyAsync("reachable", "failure", "refuses user 'app'", "--url of 'dr'", fixture.Urls(("dr", url)));
        Assert.DoesNotContain("Start the server", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("no-such-password", run.Output + run.Error, StringComparison.Ordinal);
    }

    private Task<ToolRun> AssertOnlyAsync(string check, string verdict, string evidence, string fix) => AssertOnlyAsync(check, verdict, evidence, fix, fixture.Urls());

    /// <summary>Asserts that exactly one check does not pass, and that it says what is wrong and what to do.</summary>
    internal static async Task<ToolRun> AssertOnlyAsync(string check, string verdict, string evidence, string fix, IEnumerable<string> args)
    {
        var run = await ToolRun.Async(["doctor", "--json", .. args], Ct);
        var finding = Assert.Single(Findings(run));
        Assert.True((check, verdict) == (finding.Check, finding.Verdict), finding.ToString());
        Assert.Contains(evidence, finding.Evidence, StringComparison.Ordinal);
        Assert.Contains(fix, finding.Fix, StringComparison.Ordinal);
        Assert.Equal(verdict == "warning" ? 1 : 2, run.ExitCode);
        return run;
    }

    /// <summary>Returns an entry for each check that does not pass, with the evidence and fixes of all its problems.</summary>
    internal static List<(string Check, string Verdict, string Evidence, string Fix)> Findings(ToolRun run) =>
    [
        .. from check in run.Json.GetProperty("checks").EnumerateArray()
           where check.GetProperty("verdict").GetString() != "ok"
           let problems = check.GetProperty("problems").EnumerateArray().ToList()
           select (check.GetProperty("name").GetString()!, check.GetProperty("verdict").GetString()!, Join(problems, "evidence"), Join(problems, "fix")),
    ];

    private static string Join(IEnumerable<JsonElement> problems, string property) => string.Join('\n', problems.Select(problem => problem.GetProperty(property).GetString()));
}
