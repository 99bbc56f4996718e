using System.CommandLine;
using System.Text.Json;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>Measures what an application notices of a fault, with the router and with Npgsql's own multi-host data source.</summary>
internal static class FaultsCommand
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public static Command Create()
    {
        var scenarios = CommandOption.Names("--scenario", "A fault to inject; repeatable. All by default.", Scenario.All.Select(scenario => scenario.Name));
        var arms = CommandOption.Names("--arm", "An arm to measure; repeatable. All by default.", ArmKind.All.Select(arm => arm.Name));
        var seconds = CommandOption.Number("--seconds", "Length of each run in seconds; the fault begins after a quarter of it.", usual: 20, least: 4);
        var json = new Option<bool>("--json") { Description = "Prints the figures as one JSON object on the last line of standard output." };
        var command = new Command("faults", "Counts errors, blocked operations, lost and duplicate writes while servers of a real cluster are killed, frozen, cut off, promoted and delayed.") { scenarios, arms, seconds, json };
        command.SetAction((parsed, ct) => RunAsync(
            [.. Scenario.All.Where(scenario => IsWanted(parsed.GetValue(scenarios), scenario.Name))],
            [.. ArmKind.All.Where(arm => IsWanted(parsed.GetValue(arms), arm.Name))],
            TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(json), ct));
        return command;
    }

    private static bool IsWanted(string[]? wanted, string name) => wanted is null or [] || wanted.Contains(name);

    private static async Task<int> RunAsync(Scenario[] scenarios, ArmKind[] arms, TimeSpan length, bool isJson, CancellationToken ct)
    {
        Console.WriteLine($"Npgsql {typeof(NpgsqlConnection).Assembly.GetName().Version?.ToString(3)}");
        var all = new Dictionary<string, Dictionary<string, Figures>>();
        foreach (var scenario in scenarios)
        {
            var figures = all[scenario.Name] = [];
            foreach (var arm in arms)
            {
                if (await TryRunAsync(scenario, arm, length, ct) is { } result) figures[arm.Name] = result;
            }

            FaultTable.Write(scenario, figures);
        }

        if (isJson) Console.WriteLine(JsonSerializer.Serialize(all, s_json));
        return all.Values.All(figures => figures.Count == arms.Length) ? 0 : 1;
    }

    /// <summary>Returns null if the cluster fails, so that the figures of the other runs are kept.</summary>
    private static async Task<Figures?> TryRunAsync(Scenario scenario, ArmKind arm, TimeSpan length, CancellationToken ct)
    {
        try
        {
            return await new FaultRun(scenario, arm, length).RunAsync(ct);
        }
        catch (LocalClusterException failed)
        {
            await Console.Error.WriteLineAsync($"{scenario.Name}, {arm.Name}: {failed.Message}");
            return null;
        }
    }
}
