using ReplicaRouter.Tool.CommandLine;
using ReplicaRouter.Tool.Drill;

namespace ReplicaRouter.Tool.Tests;

/// <summary>Drills that touch no server.</summary>
[Collection(DevelopmentClusterTests.Name)]
public sealed class DrillTests(DevelopmentClusterFixture fixture)
{
    [Fact]
    public async Task Drain_restore_and_forced_failover_cause_no_errors_and_show_recovery_times()
    {
        var run = await fixture.RunAsync("drill", "--yes", "--seconds", "1", "--writes", "--json");
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        var report = run.Json;
        Assert.Equal(0, report.GetProperty("errors").GetInt64());
        var phases = report.GetProperty("phases").EnumerateArray().ToDictionary(phase => phase.GetProperty("name").GetString()!);
        Assert.Equal(["baseline", "drain analytics", "restore analytics", "force reads to the primary", "restore reads"], phases.Keys);
        Assert.All(phases.Values, phase => Assert.True(phase.GetProperty("operations").GetInt64() > 10));
        Assert.True(phases["baseline"].GetProperty("byHost").TryGetProperty("analytics", out _));
        Assert.InRange(phases["restore analytics"].GetProperty("recoveryMs").GetDouble(), 0, 20_000);
        // Reads are forced for 5 s.
        Assert.InRange(phases["restore reads"].GetProperty("recoveryMs").GetDouble(), 5_000, 30_000);

        var writes = report.GetProperty("writes");
        Assert.True(writes.GetProperty("acknowledged").GetInt64() > 10);
        Assert.Equal((0, 0), (writes.GetProperty("lost").GetInt64(), writes.GetProperty("doubled").GetInt64()));
        await fixture.UntilAsync("primary", "SELECT to_regclass('replica_router_drill') IS NULL");
    }

    [Fact]
    public async Task Without_a_confirmation_nothing_is_done()
    {
        Console.SetIn(new StringReader("something else\n"));
        var run = await fixture.RunAsync("drill");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("Type 127.0.0.1:", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("Not confirmed, so nothing was done. --yes skips the confirmation.\n", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Theory]
    [InlineData(0, "0 errors in 0 operations.")]
    [InlineData(1, "1 error in 0 operations.")]
    [InlineData(2, "2 errors in 0 operations.")]
    public void The_table_counts_errors(long errors, string expected)
    {
        using var output = new StringWriter();
        var phase = new PhaseReport("baseline", 1, 0, new Dictionary<string, long> { ["lost"] = errors }, 0, 0, 0, new Dictionary<string, long>(), null);
        new Screen(output, TextWriter.Null).Write(DrillTable.Of(new DrillReport("test", [phase], null, [])));
        Assert.Contains(expected, output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--kill-replica", "--local")]
    [InlineData("--promote", "--local")]
    [InlineData("--replica=nobody", "There is no host 'nobody'")]
    public async Task Impossible_options_are_refused_before_anything_is_done(string option, string message)
    {
        var run = await fixture.RunAsync("drill", "--yes", option);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }
}
