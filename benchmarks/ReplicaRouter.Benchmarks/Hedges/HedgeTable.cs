using System.Globalization;
using ReplicaRouter.Benchmarks.Reports;

namespace ReplicaRouter.Benchmarks.Hedges;

/// <summary>Reads with and without hedging, as a table.</summary>
internal static class HedgeTable
{
    public static Grid Of(HedgeFigures figures) => new(
        string.Create(CultureInfo.InvariantCulture, $"{(figures.TypicalMs > 0 ? $"Reads of {figures.TypicalMs:0} ms" : "Look-ups")}: one of three replicas takes {figures.SlowMs:0} ms for 1 % of its requests. Ratios to the p99 of healthy servers"),
        ["", "p99 ms", "p99.9 ms", "p99.9 ratio", "extra requests"],
        [
            Row("healthy servers", figures.Healthy, figures),
            Row("without hedging", figures.Plain, figures),
            Row("with hedging", figures.Hedged, figures),
        ]);

    private static IReadOnlyList<string> Row(string name, HedgeLoad load, HedgeFigures figures) =>
    [
        name, Grid.Number(load.P99Ms, "0.00"), Grid.Number(load.P999Ms, "0.00"),
        Grid.Number(load.P999Ms / figures.Healthy.P99Ms, "0.00"), Grid.Number(load.ExtraRequests, "0.0%"),
    ];
}
