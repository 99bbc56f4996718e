using System.Globalization;
using ReplicaRouter.Simulation;
using Spectre.Console;

namespace ReplicaRouter.Benchmarks.Fleet;

/// <summary>The figures of a scenario at the worst seed, one row per policy; and the verdicts on the goals.</summary>
internal static class SimulationTable
{
    private static readonly (string Title, Func<Figures, double> Of, string Format)[] s_columns =
    [
        ("p50 ms", figures => figures.P50Ms, "0.0"),
        ("p99 ms", figures => figures.P99Ms, "0.0"),
        ("p99.9 ms", figures => figures.P999Ms, "0.0"),
        ("errors", figures => figures.Errors, "#,0"),
        ("spread", figures => figures.ShareSpread, "0.0%"),
        ("busiest", figures => figures.MaxShare, "0.00x"),
        ("to faulty", figures => figures.SlowShare, "0.0%"),
        ("hedged", figures => figures.HedgeShare, "0.0%"),
        ("probes/s", figures => figures.ProbesPerSecond, "0"),
        ("peak", figures => figures.PeakProbesPerSecond, "0"),
        ("logins/s", figures => figures.LoginsPerSecond, "0"),
        ("peak", figures => figures.PeakLoginsPerSecond, "0"),
        ("stale", figures => figures.StaleReads, "#,0"),
        ("wrong", figures => figures.WrongDowns, "0"),
    ];

    public static void Write(Scenario scenario, IReadOnlyList<SeedResults> seeds)
    {
        var table = new Table().Title($"{scenario.Name}: {scenario.Title}".EscapeMarkup()).AddColumn("");
        foreach (var (title, _, _) in s_columns) table.AddColumn(new TableColumn(title).RightAligned());
        foreach (var policy in scenario.Policies)
        {
            table.AddRow([policy.Name, .. s_columns.Select(column => seeds.Max(seed => column.Of(seed[scenario.Name, policy.Name])).ToString(column.Format, CultureInfo.InvariantCulture))]);
        }

        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 160);
        AnsiConsole.Write(table);
    }

    public static IReadOnlyList<SimulateCommand.Verdict> WriteGoals(IReadOnlyList<Goal> goals, IReadOnlyList<SeedResults> seeds)
    {
        var verdicts = new List<SimulateCommand.Verdict>();
        foreach (var goal in goals)
        {
            if (goal.Worst(seeds) is not { } worst) continue;
            verdicts.Add(new(goal.Name, goal.What, worst, goal.Limit, goal.IsMet(worst)));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(goal.IsMet(worst) ? "met   " : "MISSED")} {goal.Name,-6} {goal.What}: {worst:0.###}, at most {goal.Limit:0.###}"));
        }

        return verdicts;
    }
}
