using System.CommandLine;
using System.Text.Json;
using ReplicaRouter.Checks;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>Runs the randomized fault soak from the command line.</summary>
internal static class ChaosCommand
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public static Command Create()
    {
        var seconds = CommandOption.Number("--seconds", "Seconds after which no new fault begins.", usual: 300);
        var seed = new Option<int>("--seed") { Description = "Seed of the faults.", DefaultValueFactory = _ => Random.Shared.Next() };
        var json = new Option<bool>("--json") { Description = "Prints the report as one JSON object on the last line of standard output." };
        var command = new Command("chaos", "Injects random faults of all kinds, and looks for errors, lost or duplicate writes, and leaks.") { seconds, seed, json };
        command.SetAction((parsed, ct) => RunAsync(TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(seed), parsed.GetValue(json), ct));
        return command;
    }

    private static async Task<int> RunAsync(TimeSpan length, int seed, bool isJson, CancellationToken ct)
    {
        await Console.Error.WriteLineAsync($"seed {seed}");
        var report = await FaultSoak.RunAsync(new FaultSoakOptions { Length = length, Seed = seed, Log = Console.Error.WriteLine }, ct);
        Console.WriteLine(isJson ? JsonSerializer.Serialize(report, s_json) : report.ToString());
        return report.Complaints.Count == 0 ? 0 : 1;
    }
}
