using System.CommandLine;
using System.Text.Json;
using ReplicaRouter.Checks;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>The randomized fault soak from the command line, for as long as one has patience for.</summary>
internal static class ChaosCommand
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public static Command Create()
    {
        var seconds = CommandOption.Number("--seconds", "Time after which no fault begins any more.", usual: 300);
        var seed = new Option<int>("--seed") { Description = "Seed of the faults.", DefaultValueFactory = _ => Random.Shared.Next() };
        var json = new Option<bool>("--json") { Description = "Prints the report as one JSON object, the last line of the standard output." };
        var command = new Command("chaos", "Looks for errors, lost or doubled writes and leaks that are left of random faults of all kinds.") { seconds, seed, json };
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
