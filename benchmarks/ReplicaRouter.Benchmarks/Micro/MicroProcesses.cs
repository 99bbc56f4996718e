using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;

namespace ReplicaRouter.Benchmarks.Micro;

/// <summary>
/// Measures the router's own work in several processes, one after the other, and takes the medians: from one process to the next the compiler comes to other decisions,
/// by what it has seen run at that moment, and an operation of Npgsql's takes 350 ns in one and 550 in another.
/// </summary>
internal static class MicroProcesses
{
    private const int Processes = 5;
    private const string Name = "micro-once";

    /// <summary>What one of the processes runs: prints the figures as one JSON object, the last line of the standard output.</summary>
    public static Command Once()
    {
        var command = new Command(Name, "One process of the scenario 'micro'.") { Hidden = true };
        command.SetAction(async (_, _) => Console.WriteLine(JsonSerializer.Serialize(await MicroRun.MeasureAsync())));
        return command;
    }

    public static async Task<MicroFigures> MeasureAsync(Action<string> say, CancellationToken ct)
    {
        List<MicroFigures> runs = [];
        for (var i = 1; i <= Processes; i++)
        {
            say($"micro {i}/{Processes}");
            runs.Add(await RunAsync(ct));
        }

        return MicroFigures.Median(runs);
    }

    private static async Task<MicroFigures> RunAsync(CancellationToken ct)
    {
        var (code, output) = await Testing.Processes.Command.RunAsync(new ProcessStartInfo("dotnet", [typeof(MicroProcesses).Assembly.Location, Name]), ct);
        return code == 0
            ? JsonSerializer.Deserialize<MicroFigures>(output.Split('\n')[^1])!
            : throw new InvalidOperationException($"'{Name}' ended with {code}: {output}");
    }
}
