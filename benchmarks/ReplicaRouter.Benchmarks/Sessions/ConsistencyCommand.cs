using System.CommandLine;
using System.Text.Json;
using ReplicaRouter.Checks;

namespace ReplicaRouter.Benchmarks.Sessions;

/// <summary>Runs the randomized consistency check from the command line.</summary>
internal static class ConsistencyCommand
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public static Command Create()
    {
        var reads = new Option<long>("--reads") { Description = "Number of reads in sessions.", DefaultValueFactory = _ => 100_000 };
        var sessions = new Option<int>("--sessions") { Description = "Concurrent sessions.", DefaultValueFactory = _ => 32 };
        var seed = new Option<int>("--seed") { Description = "Seed of the work and the faults.", DefaultValueFactory = _ => Random.Shared.Next() };
        var json = new Option<bool>("--json") { Description = "Prints the figures as one JSON object on the last line of standard output." };
        var backInTime = new Option<bool>("--back-in-time")
        {
            Description = "Instead reads from a replica and then from the primary, in --reads pairs with asynchronous and as many with synchronous replication.",
        };
        AtLeastOne(reads);
        AtLeastOne(sessions);
        var command = new Command("consistency", "Looks for stale reads in sessions while servers are paused, delayed, killed, restarted and promoted at random.")
        {
            reads, sessions, seed, json, backInTime,
        };
        command.SetAction(async (parsed, ct) =>
        {
            var options = new ConsistencyCheckOptions
            {
                Reads = parsed.GetValue(reads),
                Sessions = parsed.GetValue(sessions),
                Seed = parsed.GetValue(seed),
                Log = Console.Error.WriteLine,
            };
            await Console.Error.WriteLineAsync($"seed {options.Seed}");
            if (parsed.GetValue(backInTime)) return await BackInTimeAsync(options, parsed.GetValue(json), ct);
            var report = await ConsistencyCheck.RunAsync(options, ct);
            Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(report, s_json) : report.ToString());
            return report.Violations == 0 && report.WithoutSessions.Violations > 0 ? 0 : 1;
        });
        return command;
    }

    private static async Task<int> BackInTimeAsync(ConsistencyCheckOptions given, bool isJson, CancellationToken ct)
    {
        var isRight = true;
        foreach (var isSynchronous in (bool[])[false, true])
        {
            var options = new BackInTimeCheckOptions { Pairs = given.Reads, Sessions = given.Sessions, Seed = given.Seed, IsSynchronous = isSynchronous, Log = given.Log };
            var report = await BackInTimeCheck.RunAsync(options, ct);
            Console.WriteLine(isJson ? JsonSerializer.Serialize(report, s_json) : report.ToString());
            // A primary that waits for a synchronous standby hides commits for long enough that pairs outside sessions must meet some.
            isRight &= report.Pairs >= options.Pairs && report.BackInTime == 0 && (!isSynchronous || report.WithoutSessions.BackInTime > 0);
        }

        return isRight ? 0 : 1;
    }

    private static void AtLeastOne<T>(Option<T> option) where T : System.Numerics.INumber<T> => option.Validators.Add(result =>
    {
        if (result.Tokens.Count > 0 && result.GetValueOrDefault<T>() < T.One) result.AddError($"{option.Name} takes a whole number of at least 1.");
    });
}
