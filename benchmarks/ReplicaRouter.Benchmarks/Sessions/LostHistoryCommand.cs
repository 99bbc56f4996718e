using System.CommandLine;
using System.Text.Json;
using ReplicaRouter.Checks;
using ReplicaRouter.Checks.LostHistory;

namespace ReplicaRouter.Benchmarks.Sessions;

/// <summary>Looks for sessions that report a lost history although nothing was lost.</summary>
internal static class LostHistoryCommand
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public static Command Create()
    {
        var minutes = new Option<double>("--minutes") { Description = "Minutes without a fault, before a failover with synchronous replication.", DefaultValueFactory = _ => 30 };
        var json = new Option<bool>("--json") { Description = "Prints the figures as one JSON object on the last line of standard output." };
        minutes.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<double>() is not (> 0 and <= 1440)) result.AddError("--minutes takes a number above 0 and at most 1440.");
        });
        var command = new Command("lost-history", "Looks for sessions in three processes that report a lost history although nothing was lost.") { minutes, json };
        command.SetAction(async (parsed, ct) =>
        {
            var report = await LostHistoryCheck.RunAsync(new LostHistoryCheckOptions { Duration = TimeSpan.FromMinutes(parsed.GetValue(minutes)) }, ct);
            Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(report, s_json) : report.ToString());
            return report is { LostHistories: 0, Violations: 0 } ? 0 : 1;
        });
        return command;
    }
}
