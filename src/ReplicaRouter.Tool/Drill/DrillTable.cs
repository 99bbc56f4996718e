using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ReplicaRouter.Tool.Drill;

/// <summary>The figures of a drill, one phase per line, with remarks below.</summary>
internal static class DrillTable
{
    public static IRenderable Of(DrillReport report)
    {
        var table = new Table().Border(TableBorder.Horizontal).AddColumn("phase");
        foreach (var heading in (string[])["reads and writes", "errors", "median ms", "p99 ms", "max ms", "recovery s"]) table.AddColumn(new TableColumn(heading).RightAligned());
        table.AddColumn("answered by");
        foreach (var phase in report.Phases) table.AddRow([.. Row(phase)]);
        return new Rows([table, .. Remarks(report).Select(remark => new Text(remark))]);
    }

    private static IEnumerable<IRenderable> Row(PhaseReport phase) =>
    [
        new Text(phase.Name),
        Number(phase.Operations, "0"),
        new Text(phase.Errors.Values.Sum().ToString(CultureInfo.InvariantCulture), new Style(phase.Errors.Count == 0 ? Color.Green : Color.Red)),
        Number(phase.MedianMs, "0.0"),
        Number(phase.P99Ms, "0.0"),
        Number(phase.MaxMs, "0.0"),
        phase.RecoveryMs is { } recovery ? Number(recovery / 1000, "0.00") : new Text(""),
        new Text(string.Join(", ", phase.ByHost.Select(host => $"{host.Key} {host.Value}"))),
    ];

    private static IEnumerable<string> Remarks(DrillReport report)
    {
        foreach (var error in report.Phases.SelectMany(phase => phase.Errors.Select(error => $"{phase.Name}: {error.Value} x {error.Key}"))) yield return error;
        foreach (var complaint in report.Complaints) yield return complaint;
        if (report.Writes is { } writes)
            yield return $"{writes.Acknowledged} writes acknowledged, {writes.Unknown} of unknown outcome; {writes.Lost} lost, {writes.Doubled} doubled.";
        yield return $"{report.Errors} {(report.Errors == 1 ? "error" : "errors")} in {report.Phases.Sum(phase => phase.Operations)} operations.";
    }

    private static Text Number(double value, string format) => new(value.ToString(format, CultureInfo.InvariantCulture));
}
