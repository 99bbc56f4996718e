using System.Globalization;
using ReplicaRouter.Simulation;
using Spectre.Console;

namespace ReplicaRouter.Benchmarks.Fleet;

/// <summary>The acceptance grid as tables with one row per cell: medians over the seeds, and whether they are within their limits.</summary>
internal static class GridTable
{
    private const int WorstShown = 10;
    private const int Wide = 200;

    private static readonly string[] s_sensitivity = ["constant", "value", "p50", "p99", "share regained", "missed"];

    public static void Write(IReadOnlyList<JudgedCell> rows)
    {
        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, Wide);
        foreach (var part in rows.GroupBy(row => row.Cell.Part)) AnsiConsole.Write(Of(part.Key, [.. part]));
        JudgedCell[] missed = [.. rows.Where(row => !row.IsMet).OrderByDescending(row => row.Worst.Excess)];
        foreach (var row in missed.Take(WorstShown))
        {
            var worst = row.Worst;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"MISSED {row.Cell.Name}: {worst.What} {worst.Measured:0.###}, {(worst.IsLeast ? "at least" : "at most")} {worst.Limit:0.###}"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{missed.Length} of {rows.Count} cells missed."));
    }

    public static void Write(IReadOnlyList<SensitivityRow> rows)
    {
        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, Wide);
        var table = new Table().Title("Worst of a few cells with other constants").MarkdownBorder();
        foreach (var title in s_sensitivity) table.AddColumn(title);
        foreach (var row in rows)
        {
            var (p50, p99) = (row.Worst("p50"), row.Worst("p99"));
            table.AddRow(
            [
                row.Constant ?? "defaults", row.Constant is null ? "" : Number(row.Number), $"{Number(p50.Measured)} ({p50.Row.Cell.PartName} {p50.Row.Cell.Workload.Name})",
                $"{Number(p99.Measured)} ({p99.Row.Cell.PartName} {p99.Row.Cell.Workload.Name})", Number(row.ShareAgain), string.Join("; ", row.Rows.Where(each => !each.IsMet).Select(each => each.Cell.PartName)),
            ]);
        }

        AnsiConsole.Write(table);
    }

    private static Table Of(GridPart part, IReadOnlyList<JudgedCell> rows)
    {
        var table = new Table().Title($"{rows[0].Cell.PartName}: p50 / p99 in ms").SimpleBorder();
        string[] names = part == GridPart.Healthy ? [.. Policy.All.Select(policy => policy.Name)] : ["", "no fault"];
        string[] titles = [part == GridPart.ClosedLoop ? "callers" : "processes", "workload", "load", "replicas", .. names];
        foreach (var title in titles) table.AddColumn(title);
        foreach (var check in rows[0].Checks) table.AddColumn(new TableColumn(check.What).RightAligned());
        table.AddColumn("verdict");
        foreach (var row in rows) table.AddRow([.. CellsOf(row), .. row.Checks.Select(Figure), row.IsMet ? "met" : "MISSED"]);
        return table;
    }

    private static IEnumerable<string> CellsOf(JudgedCell row)
    {
        var (cell, judged) = (row.Cell, row.Cell.Policies[0].Name);
        IEnumerable<string> figures = cell.Part == GridPart.Healthy
            ? cell.Policies.Select(policy => Milliseconds(row, policy.Name))
            : [$"{judged}: {Milliseconds(row, judged)}", Milliseconds(row, GridFigures.WithoutFault(judged))];
        return [Number(cell.Callers > 0 ? cell.Callers : cell.Processes), cell.Workload.Name, cell.Load == 0 ? "" : Number(100 * cell.Load) + " %", Number(cell.Replicas), .. figures];
    }

    private static string Milliseconds(JudgedCell row, string name) => row.Figures.Has(name)
        ? string.Create(CultureInfo.InvariantCulture, $"{row.Figures.Median(name, each => each.P50Ms):0.0} / {row.Figures.Median(name, each => each.P99Ms):0.0}")
        : "";

    private static string Figure(GridCheck check) => Number(check.Measured) + (check.IsMet ? "" : "!");

    private static string Number(double number) => number.ToString("0.###", CultureInfo.InvariantCulture);
}
