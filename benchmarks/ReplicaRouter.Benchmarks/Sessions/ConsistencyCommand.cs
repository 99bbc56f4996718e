using System.CommandLine;
using System.Text.Json;
using ReplicaRouter.Checks;

namespace ReplicaRouter.Benchmarks.Sessions;

/// <summary>The randomized consistency check from the command line, for as many reads as one has patience for.</summary>
internal static class ConsistencyCommand
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public static Command Create()
    {
        var reads = new Option<long>("--reads") { Description = "Reads in sessions after which it ends.", DefaultValueFactory = _ => 100_000 };
        var sessions = new Option<int>("--sessions") { Description = "Sessions that work at once.", DefaultValueFactory = _ => 32 };
        var seed = new Option<int>("--seed") { Description = "Seed of the work and of the faults.", DefaultValueFactory = _ => Random.Shared.Next() };
        var json = new Option<bool>("--json") { Description = "Prints the figures as one JSON object, the last line of the standard output." };
        var backInTime = new Option<bool>("--back-in-time")
        {
            Description = "Instead: pairs of a replica's read and then the primary's, with asynchronous and then synchronous replication. --reads is the number of pairs of each.",
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
            // Commits of a synchronous standby are hidden for long enough that pairs outside of sessions must meet some.
            isRight &= report.Pairs >= options.Pairs && report.BackInTime == 0 && (!isSynchronous || report.WithoutSessions.BackInTime > 0);
        }

        return isRight ? 0 : 1;
    }

    private static void AtLeastOne<T>(Option<T> option) where T : System.Numerics.INumber<T> => option.Validators.Add(result =>
    {
        if (result.Tokens.Count > 0 && result.GetValueOrDefault<T>() < T.One) result.AddError($"{option.Name} takes a whole number from 1.");
    });
}
