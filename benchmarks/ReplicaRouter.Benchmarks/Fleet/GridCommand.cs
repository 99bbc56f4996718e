using System.CommandLine;
using System.Globalization;
using ReplicaRouter.Simulation;

namespace ReplicaRouter.Benchmarks.Fleet;

/// <summary>Runs and judges the acceptance grid, or a few of its cells with other constants.</summary>
internal static class GridCommand
{
    public const int UsualSeeds = 5;
    public const int UsualSensitivitySeeds = 3;

    public static Option<string[]> Words()
    {
        var option = CommandOption.Names("--grid", "Judges the acceptance grid, or only the named parts of it: kinds of fault and workloads.", GridFilter.AllWords);
        option.Arity = ArgumentArity.ZeroOrMore;
        option.AllowMultipleArgumentsPerToken = true;
        return option;
    }

    /// <summary>Creates the option that overrides constants of outlier ejection.</summary>
    public static Option<string[]> Constants()
    {
        var option = new Option<string[]>("--set") { Description = "Overrides a constant of EjectionSettings, as in EvidenceAgainstMost=6; times are in ms. Repeatable." };
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

    /// <returns>The judged cells and 0, or 1 if a cell misses its goals.</returns>
    public static (object Report, int ExitCode) Run(GridFilter filter, EjectionSettings ejection, int[] seeds, int? leastSeconds)
    {
        GridCell[] cells = [.. GridCells.All.Where(filter.Takes)];
        if (cells.Length == 0)
        {
            Console.Error.WriteLine("No cell of the grid matches.");
            return (new { Cells = 0 }, 1);
        }

        var figures = GridRunner.Run(cells.SelectMany(cell => GridRunner.RunsOf(cell, ejection, seeds, leastSeconds)), ShowProgress);
        JudgedCell[] rows = [.. cells.Select(cell => GridJudge.Judge(cell, figures[cell]))];
        GridTable.Write(rows);
        return (Report(rows), rows.All(row => row.IsMet) ? 0 : 1);
    }

    /// <returns>One row for each set of constants.</returns>
    public static object RunSensitivity(int[] seeds)
    {
        SensitivityRow[] rows = [.. Sensitivity.Run(seeds, row => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row.Constant ?? "defaults"} {row.Number}")))];
        GridTable.Write(rows);
        return new { Sensitivity = rows.Select(row => new { row.Constant, row.Number, P50 = row.Worst("p50").Measured, P99 = row.Worst("p99").Measured, row.ShareAgain }) };
    }

    private static void ShowProgress(int ended, int of)
    {
        // About twenty lines in total.
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
