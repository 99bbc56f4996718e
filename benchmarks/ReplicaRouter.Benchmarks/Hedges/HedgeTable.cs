using System.Globalization;
using ReplicaRouter.Benchmarks.Reports;

namespace ReplicaRouter.Benchmarks.Hedges;

/// <summary>Reads with and without a second run.</summary>
internal static class HedgeTable
{
    public static Grid Of(HedgeFigures figures) => new(
        string.Create(CultureInfo.InvariantCulture, $"{(figures.TypicalMs > 0 ? $"Reads of {figures.TypicalMs:0} ms" : "Look-ups")}: one of three replicas takes {figures.SlowMs:0} ms for 1 % of its requests. Ratios to the p99 of healthy servers"),
        ["", "p99 ms", "p99.9 ms", "p99.9 ratio", "extra requests"],
        [
            Row("healthy servers", figures.HealthyP99Ms, figures.HealthyP999Ms, 0, figures),
            Row("without hedging", figures.PlainP99Ms, figures.PlainP999Ms, 0, figures),
            Row("with hedging", figures.HedgedP99Ms, figures.HedgedP999Ms, figures.ExtraRequests, figures),
        ]);

    private static IReadOnlyList<string> Row(string name, double p99, double p999, double extra, HedgeFigures figures) =>
        [name, Grid.Number(p99, "0.00"), Grid.Number(p999, "0.00"), Grid.Number(p999 / figures.HealthyP99Ms, "0.00"), Grid.Number(extra, "0.0%")];
}
