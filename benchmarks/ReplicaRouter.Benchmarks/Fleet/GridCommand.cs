using System.CommandLine;
using System.Globalization;
using ReplicaRouter.Simulation;

namespace ReplicaRouter.Benchmarks.Fleet;

/// <summary>Runs and judges the acceptance grid, or a few of its cells by other constants.</summary>
internal static class GridCommand
{
    public const int UsualSeeds = 5;
    public const int UsualSensitivitySeeds = 3;

    public static Option<string[]> Words()
    {
        var option = CommandOption.Names("--grid", "Judges the acceptance grid, or the parts of it that are named: by what is wrong, and by workload.", GridFilter.AllWords);
        option.Arity = ArgumentArity.ZeroOrMore;
        option.AllowMultipleArgumentsPerToken = true;
        return option;
    }

    /// <summary>Other values for the constants by which slow hosts are left out.</summary>
    public static Option<string[]> Constants()
    {
        var option = new Option<string[]>("--set") { Description = "Another value for a constant of EjectionSettings, as EvidenceAgainstMost=6; times are in ms. May be given more than once." };
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                try
                {
                    _ = EjectionConstants.Set(EjectionSettings.Default, token.Value);
                }
                catch (Exception e) when (e is FormatException or OverflowException)
                {
                    result.AddError(e.Message);
                }
            }
        });
        return option;
    }

    /// <returns>The judged cells and 0, or 1 where one misses its goals.</returns>
    public static (object Report, int ExitCode) Run(GridFilter filter, EjectionSettings ejection, int[] seeds, int? leastSeconds)
    {
        GridCell[] cells = [.. GridCells.All.Where(filter.Takes)];
        if (cells.Length == 0)
        {
            Console.Error.WriteLine("The grid has no such cell.");
            return (new { Cells = 0 }, 1);
        }

        var figures = GridRunner.Run(cells.SelectMany(cell => GridRunner.RunsOf(cell, ejection, seeds, leastSeconds)), ShowProgress);
        JudgedCell[] rows = [.. cells.Select(cell => GridJudge.Judge(cell, figures[cell]))];
        GridTable.Write(rows);
        return (Report(rows), rows.All(row => row.IsMet) ? 0 : 1);
    }

    /// <returns>A row for each choice of constants.</returns>
    public static object RunSensitivity(int[] seeds)
    {
        SensitivityRow[] rows = [.. Sensitivity.Run(seeds, row => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row.Constant ?? "as they are"} {row.Number}")))];
        GridTable.Write(rows);
        return new { Sensitivity = rows.Select(row => new { row.Constant, row.Number, P50 = row.Worst("p50").Measured, P99 = row.Worst("p99").Measured, row.ShareAgain }) };
    }

    private static void ShowProgress(int ended, int of)
    {
        // Some twenty lines in all.
        if (ended == of || ended % Math.Max(1, of / 20) == 0) Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ended} of {of} runs"));
    }

    private static object Report(JudgedCell[] rows) => new
    {
        Cells = rows.Length,
        Missed = rows.Count(row => !row.IsMet),
        Rows = rows.Select(row => new
        {
            Part = row.Cell.PartName,
            Workload = row.Cell.Workload.Name,
            row.Cell.Processes,
            row.Cell.Load,
            row.Cell.Replicas,
            row.Cell.Callers,
            Policies = row.Cell.Policies.ToDictionary(policy => policy.Name, policy => new
            {
                P50Ms = row.Figures.Median(policy.Name, each => each.P50Ms),
                P99Ms = row.Figures.Median(policy.Name, each => each.P99Ms),
                ShareError = row.Figures.Median(policy.Name, each => each.ShareError),
            }),
            row.Checks,
            row.IsMet,
        }),
    };
}
