using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;

namespace ReplicaRouter.Benchmarks.Micro;

/// <summary>
/// Measures the router's own work in several processes, one after another, and takes the medians. The JIT compiler decides differently in each process, by the calls that it
/// has seen so far: an operation of Npgsql takes 350 ns in one and 550 ns in another.
/// </summary>
internal static class MicroProcesses
{
    private const int Processes = 5;
    private const string Name = "micro-once";

    /// <summary>Creates the command that each process runs. It prints the figures as one JSON object on the last line of standard output.</summary>
    public static Command Once()
    {
        var command = new Command(Name, "Runs one process of the scenario 'micro'.") { Hidden = true };
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
            : throw new InvalidOperationException($"'{Name}' exited with code {code}: {output}");
    }
}
