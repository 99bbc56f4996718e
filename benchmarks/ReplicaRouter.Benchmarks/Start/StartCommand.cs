using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;
using Spectre.Console;

namespace ReplicaRouter.Benchmarks.Start;

/// <summary>Measures the time of a fresh process from the start of <c>Main</c> to its first answer, with plain Npgsql and with the router.</summary>
internal static class StartCommand
{
    /// <summary>The program. It runs from its own folder, because this program's folder lacks the libraries that come with ASP.NET Core.</summary>
    private const string Name = "ReplicaRouter.ColdStart";

    private const string Project = $"benchmarks/{Name}";

    public static Command Create()
    {
        var rounds = CommandOption.Number("--rounds", "Processes of each kind.", 15);
        var native = new Option<bool>("--native") { Description = "Also measures programs compiled ahead of time. Needs clang." };
        var json = new Option<bool>("--json") { Description = "Prints the figures as one JSON object on the last line of standard output." };
        var command = new Command("start", "Measures the time from the start of a fresh process to its first answer.") { rounds, native, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(rounds), parsed.GetValue(native), parsed.GetValue(json), ct));
        return command;
    }

    private static async Task RunAsync(int rounds, bool isNative, bool isJson, CancellationToken ct)
    {
        await using var cluster = await BenchmarkCluster.StartAsync(isVictimSynchronous: false, ct);
        await using var proxies = new ProxiedCluster(cluster);
        var reach = Reach.Directly(cluster) with { PortOf = server => proxies[server].Port };
        var victim = proxies[cluster[BenchmarkCluster.Victim]];
        List<string[]> programs = [["dotnet", Path.Combine(AppContext.BaseDirectory.Replace("ReplicaRouter.Benchmarks", Name, StringComparison.Ordinal), $"{Name}.dll")]];
        if (isNative) programs.Add([await PublishAsync(ct)]);
        List<(string Name, Action Impede)> scenarios = [("all hosts are well", () => { }), ("one host is down", victim.Refuse), ("one host hangs", victim.Silence)];

        List<StartFigures> figures = [];
        foreach (var program in programs)
        {
            foreach (var (name, impede) in scenarios)
            {
                impede();
                figures.Add(await MeasureAsync(program, name, reach, rounds, ct));
                victim.Heal();
            }
        }

        Print(figures);
        if (isJson) Console.WriteLine(JsonSerializer.Serialize(figures, JsonSerializerOptions.Web));
    }

    private static async Task<StartFigures> MeasureAsync(string[] program, string scenario, Reach reach, int rounds, CancellationToken ct)
    {
        var (plain, routed) = (new List<double>(), new List<double>());
        string[] hosts = [reach.To(reach.Cluster.Primary), .. reach.Replicas.Select(reach.To)];
        // Warm-up: the first process of each kind fills the file system's cache.
        for (var round = -1; round < rounds; round++)
        {
            var one = await FirstAnswerAsync([.. program, "npgsql", reach.To(reach.Replicas[0])], ct);
            var other = await FirstAnswerAsync([.. program, "router", .. hosts], ct);
            if (round < 0) continue;
            plain.Add(one);
            routed.Add(other);
        }

        var (npgsql, router) = (Statistics.Median(plain), Statistics.Median(routed));
        return new StartFigures(program.Length == 1, scenario, npgsql, router, Math.Round(router / npgsql, 2));
    }

    private static async Task<double> FirstAnswerAsync(string[] command, CancellationToken ct)
    {
        var (code, output) = await Testing.Processes.Command.RunAsync(new ProcessStartInfo(command[0], command[1..]), ct);
        return code == 0 ? double.Parse(output, CultureInfo.InvariantCulture) : throw new InvalidOperationException($"The process exited with code {code}: {output}");
    }

    /// <returns>The program's path.</returns>
    private static async Task<string> PublishAsync(CancellationToken ct)
    {
        var folder = Path.Combine(Environment.CurrentDirectory, "artifacts", "bench", "cold-start");
        var (code, output) = await Testing.Processes.Command.RunAsync(
            new ProcessStartInfo("dotnet", ["publish", Project, "--configuration", "Release", "--artifacts-path", Path.Combine(folder, "artifacts"), "--output", folder]), ct);
        return code == 0 ? Path.Combine(folder, Name) : throw new InvalidOperationException($"`dotnet publish` exited with code {code}: {output}");
    }

    private static void Print(IReadOnlyList<StartFigures> figures)
    {
        var table = new Table().AddColumns("program", "hosts", "plain Npgsql ms", "router ms", "ratio");
        foreach (var each in figures)
        {
            table.AddRow(each.IsNative ? "native" : "JIT", each.Scenario,
                each.NpgsqlMs.ToString("0", CultureInfo.InvariantCulture), each.RouterMs.ToString("0", CultureInfo.InvariantCulture), each.Ratio.ToString("0.00", CultureInfo.InvariantCulture));
        }

        AnsiConsole.Write(table);
    }

    /// <summary>Medians of one program in one scenario.</summary>
    private sealed record StartFigures(bool IsNative, string Scenario, double NpgsqlMs, double RouterMs, double Ratio);
}
