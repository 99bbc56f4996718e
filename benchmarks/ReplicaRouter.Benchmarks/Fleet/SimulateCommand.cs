using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ReplicaRouter.Simulation;

namespace ReplicaRouter.Benchmarks.Fleet;

/// <summary>Simulates a fleet of routers on a virtual clock, and compares other policies for picking hosts.</summary>
internal static class SimulateCommand
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public static Command Create()
    {
        var seed = new Option<int>("--seed") { Description = "The first seed.", DefaultValueFactory = _ => 1 };
        var seeds = AtLeastOne("--seeds", $"Number of seeds. The worst one must meet the goals. The grid takes medians, over {GridCommand.UsualSeeds} seeds by default.", 1);
        var processes = AtLeastOne("--processes", "Application processes of a large fleet; with --grid, selects the cells with this number.", 1000);
        var hosts = AtLeastOne("--hosts", "Replicas of a large fleet, up to 60; with --grid, selects the cells with this number.", 30);
        var names = new Option<string[]>("--scenario") { Description = "A scenario to run; repeatable. All by default." };
        names.AcceptOnlyFromAmong([.. new ScenarioList().All.Select(scenario => scenario.Name)]);
        var json = new Option<bool>("--json") { Description = "Prints the figures as one JSON object on the last line of standard output." };
        var grid = GridCommand.Words();
        var load = new Option<int?>("--load") { Description = "With --grid, selects the cells with this load, in percent." };
        var seconds = new Option<int?>("--seconds") { Description = "Minimum measured seconds of a cell of the grid: 5 by default, 30 with slow hosts." };
        var sensitivity = new Option<bool>("--sensitivity") { Description = "Runs a few cells of the grid with each constant of EjectionSettings doubled and halved." };
        var constants = GridCommand.Constants();
        hosts.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() > 60) result.AddError("--hosts takes a whole number up to 60.");
        });
        var command = new Command("simulate", "Simulates a fleet of routers on a virtual clock while servers slow down, hang, die, lag and return, and compares other policies for picking hosts.") { seed, seeds, processes, hosts, names, json, grid, load, seconds, sensitivity, constants };
        command.SetAction(parsed =>
        {
            var isJson = parsed.GetValue(json);
            var ejection = (parsed.GetValue(constants) ?? []).Aggregate(EjectionSettings.Default, EjectionConstants.Set);
            if (parsed.GetValue(sensitivity)) return Print((GridCommand.RunSensitivity(Seeds(GridCommand.UsualSensitivitySeeds)), 0), isJson);
            if (!IsGiven(parsed, grid)) return Run(new ScenarioList(parsed.GetValue(processes), parsed.GetValue(hosts)), parsed.GetValue(names) ?? [], ejection, Seeds(1), isJson);
            var filter = new GridFilter(parsed.GetValue(grid) ?? [], Given(parsed, processes), parsed.GetValue(load), Given(parsed, hosts));
            return Print(GridCommand.Run(filter, ejection, Seeds(GridCommand.UsualSeeds), parsed.GetValue(seconds)), isJson);

            int[] Seeds(int usual) => [.. Enumerable.Range(parsed.GetValue(seed), Given(parsed, seeds) ?? usual)];
        });
        return command;
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    private static int? Given(ParseResult parsed, Option<int> option) => IsGiven(parsed, option) ? parsed.GetValue(option) : null;

    private static int Print((object Report, int ExitCode) judged, bool isJson)
    {
        if (isJson) Console.WriteLine(JsonSerializer.Serialize(judged.Report, s_json));
        return judged.ExitCode;
    }

    private static Option<int> AtLeastOne(string name, string description, int otherwise)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() < 1) result.AddError($"{name} takes a whole number of at least 1.");
        });
        return option;
    }

    private static int Run(ScenarioList list, string[] names, EjectionSettings ejection, int[] seeds, bool isJson)
    {
        var started = Stopwatch.GetTimestamp();
        var wanted = list.All.Where(scenario => names.Length == 0 || names.Any(name => name == scenario.Name || IsCompared(list, name, scenario)))
            .Select(scenario => scenario with { Ejection = ejection }).ToList();
        var results = new List<SeedResults>();
        foreach (var seed in seeds)
        {
            results.Add(Simulator.Run(wanted, seed, (scenario, policy, figures) =>
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(started).TotalSeconds,5:0} s {scenario.Name}, {policy.Name}: {figures.Events:#,0} events"))));
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s"));
        }

        foreach (var scenario in wanted) SimulationTable.Write(scenario, results);
        var verdicts = SimulationTable.WriteGoals(GoalList.For(list), results);
        SimulationPlots.Write(wanted, results[0], Path.Combine("artifacts", "bench", "simulation"));
        if (isJson) Console.WriteLine(JsonSerializer.Serialize(Report(results, verdicts), s_json));
        return verdicts.All(verdict => verdict.IsMet) ? 0 : 1;
    }

    /// <summary>Whether a scenario is the reference for another one's goals.</summary>
    private static bool IsCompared(ScenarioList list, string name, Scenario scenario) =>
        scenario.Name == list.All.First(each => each.Name == name).HealthyName
        || (name.StartsWith("slow-2-of-3", StringComparison.Ordinal) && scenario.Name == name.Replace("slow-2-of-3-sparse", "slow-sparse", StringComparison.Ordinal).Replace("slow-2-of-3", "slow-dense", StringComparison.Ordinal) + ", no fault");

    private static object Report(List<SeedResults> results, IReadOnlyList<Verdict> verdicts) => new
    {
        Seeds = results.ToDictionary(seed => seed.Seed.ToString(CultureInfo.InvariantCulture), seed => seed.All
            .GroupBy(each => each.Key.Scenario)
            .ToDictionary(scenario => scenario.Key, scenario => scenario.ToDictionary(each => each.Key.Policy, each => each.Value.Summary()))),
        Goals = verdicts,
    };

    /// <summary>A goal, and whether the worst seed meets it.</summary>
    internal sealed record Verdict(string Goal, string What, double Measured, double Limit, bool IsMet);
}
