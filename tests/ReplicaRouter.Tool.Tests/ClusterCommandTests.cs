using System.Diagnostics;
using Dapper;
using Npgsql;
using ReplicaRouter.Testing;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Tests;

/// <summary>Local clusters that outlive the command that started them.</summary>
public sealed class ClusterCommandTests : IAsyncDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"replica-router-tests-{Guid.NewGuid():N}");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Folder => Path.Combine(_directory, "test");

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Folder, "cluster.json"))) await (await LocalCluster.OpenAsync(Folder, CancellationToken.None)).DeleteAsync(CancellationToken.None);
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_cluster_outlives_its_command_and_down_and_up_restart_it_with_its_data()
    {
        var up = await UpInProcessOfItsOwnAsync();
        Assert.StartsWith("export DATABASE_URL='postgresql://app:", up, StringComparison.Ordinal);
        Assert.Contains("export DATABASE_READ_REPLICA_1_URL='", up, StringComparison.Ordinal);

        Assert.Equal(up, (await ClusterAsync("up")).Output);
        var status = await ClusterAsync("status", "--json");
        Assert.Equal(0, status.ExitCode);
        var processes = status.Json.GetProperty("test").EnumerateArray().Select(server => server.GetProperty("processId").GetInt32()).ToList();
        Assert.Equal(2, processes.Count);

        var doctor = await ToolRun.Async("doctor", "--json", "--local", "test", "--directory", _directory);
        Assert.Empty(DoctorTests.Findings(doctor));
        await ExecuteAsync(up, "CREATE TABLE kept AS SELECT 42 AS answer");

        await using (var cluster = await LocalCluster.OpenAsync(Folder, Ct)) await cluster["analytics"].KillAsync(Ct);
        Assert.Equal(1, (await ClusterAsync("status")).ExitCode);
        Assert.Equal(up, (await ClusterAsync("up")).Output);
        Assert.Equal(0, (await ClusterAsync("status")).ExitCode);

        Assert.Equal(0, (await ClusterAsync("down")).ExitCode);
        Assert.DoesNotContain(processes, IsAlive);
        Assert.Equal(1, (await ClusterAsync("status")).ExitCode);
        Assert.Contains("down", (await ToolRun.Async("cluster", "status", "--directory", _directory)).Output, StringComparison.Ordinal);

        Assert.Equal(up, (await ClusterAsync("up")).Output);
        Assert.Equal(42, await ExecuteAsync(up, "SELECT answer FROM kept"));

        Assert.Equal(0, (await ClusterAsync("down", "--delete-data")).ExitCode);
        Assert.False(Directory.Exists(Folder));
        Assert.Contains("There is no local cluster 'test'", (await ClusterAsync("down")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drill_kills_a_replica_and_moves_the_primary_and_leaves_all_running()
    {
        Assert.Equal(0, (await ClusterAsync("up", "--replicas", "2")).ExitCode);
        var drill = await ToolRun.Async("drill", "--local", "test", "--directory", _directory, "--yes", "--seconds", "1", "--kill-replica", "--promote", "--writes", "--json");
        Assert.True(drill.ExitCode is 0 or 1, drill.Output + drill.Error);
        Assert.Equal(0, drill.Json.GetProperty("complaints").GetArrayLength());
        var phases = drill.Json.GetProperty("phases").EnumerateArray().ToDictionary(phase => phase.GetProperty("name").GetString()!);
        Assert.InRange(phases["start analytics"].GetProperty("recoveryMs").GetDouble(), 0, 60_000);
        Assert.InRange(phases["kill primary, promote analytics"].GetProperty("recoveryMs").GetDouble(), 0, 60_000);
        Assert.Equal(0, drill.Json.GetProperty("writes").GetProperty("doubled").GetInt64());
        // A write that was in flight when the primary was killed may or may not be committed, and the drill can only report that.
        Assert.All(phases.Values.SelectMany(phase => phase.GetProperty("errors").EnumerateObject()),
            error => Assert.StartsWith(nameof(TransactionOutcomeUnknownException), error.Name, StringComparison.Ordinal));

        var status = await ClusterAsync("status", "--json");
        Assert.Equal(0, status.ExitCode);
        Assert.Equal("analytics", status.Json.GetProperty("test").EnumerateArray().Single(server => server.GetProperty("isPrimary").GetBoolean()).GetProperty("name").GetString());
        // More replicas are added to the existing ones.
        Assert.Equal(0, (await ClusterAsync("up", "--replicas", "3")).ExitCode);
        Assert.Equal(4, (await ClusterAsync("status", "--json")).Json.GetProperty("test").GetArrayLength());
        Assert.Contains("The cluster has 3 replicas", (await ClusterAsync("up", "--replicas", "1")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drill_runs_the_given_commands_and_follows_the_new_primary()
    {
        Assert.Equal(0, (await ClusterAsync("up", "--replicas", "2")).ExitCode);
        string DataOf(string server) => Path.Combine(Folder, server);
        // Does what pg_ctl does to stop and to promote.
        var stop = $"kill -QUIT $(head -n 1 {DataOf("primary")}/postmaster.pid) && echo stopping";
        var promote = $"touch {DataOf("analytics")}/promote && kill -USR1 $(head -n 1 {DataOf("analytics")}/postmaster.pid)";
        string[] drill = ["drill", "--local", "test", "--directory", _directory, "--yes", "--seconds", "1", "--replica", "background", "--json"];

        var failed = await ToolRun.Async([.. drill, "--stop-command", "exit 3"]);
        Assert.Equal(2, failed.ExitCode);
        Assert.EndsWith("--stop-command exited with 3.\n", failed.Error, StringComparison.Ordinal);

        var run = await ToolRun.Async([.. drill, "--stop-command", stop, "--promote-command", promote]);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        Assert.Contains("stopping", run.Error, StringComparison.Ordinal);
        var followed = run.Json.GetProperty("phases").EnumerateArray().Last();
        Assert.Equal("promote command", followed.GetProperty("name").GetString());
        Assert.InRange(followed.GetProperty("recoveryMs").GetDouble(), 0, 60_000);
    }

    [Fact]
    public async Task A_folder_that_holds_anything_else_is_left_alone()
    {
        Directory.CreateDirectory(Folder);
        await File.WriteAllTextAsync(Path.Combine(Folder, "thesis.txt"), "years of work", Ct);
        var run = await ClusterAsync("up");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("contains something other than a cluster", run.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Folder, "thesis.txt")));
    }

    private Task<ToolRun> ClusterAsync(string command, params string[] options) =>
        ToolRun.Async(["cluster", command, "--name", "test", "--directory", _directory, .. options], Ct);

    /// <summary>Runs <c>cluster up</c> as a user does: when this returns, the process that started the servers has ended.</summary>
    private async Task<string> UpInProcessOfItsOwnAsync()
    {
        // The tests also run an ASP.NET Core application, so the tool's libraries come from that framework here.
        var tests = Path.Combine(AppContext.BaseDirectory, typeof(ClusterCommandTests).Assembly.GetName().Name!);
        string[] command = ["exec", "--runtimeconfig", $"{tests}.runtimeconfig.json", "--depsfile", $"{tests}.deps.json", typeof(ToolCommands).Assembly.Location, "cluster", "up", "--name", "test", "--replicas", "1", "--directory", _directory];
        using var process = Process.Start(new ProcessStartInfo("dotnet", command) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private static async Task<int> ExecuteAsync(string exports, string sql)
    {
        var url = new Uri(exports.Split('\'')[1]);
        var login = url.UserInfo.Split(':');
        await using var connection = new NpgsqlConnection($"Host={url.Host};Port={url.Port};Username={login[0]};Password={login[1]};Database={url.AbsolutePath[1..]};Pooling=false");
        return await connection.ExecuteScalarAsync<int>(sql);
    }

    private static bool IsAlive(int process)
    {
        try
        {
            // A zombie has ended, but its parent has not noticed yet.
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
