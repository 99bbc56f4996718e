using System.Globalization;
using ReplicaRouter.Benchmarks.Reports;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>The figures of one scenario, one row per arm.</summary>
internal static class SlowTable
{
    public static Grid Of(SlowScenario scenario, SlowResults results) => new(
        string.Create(CultureInfo.InvariantCulture, $"{scenario.Title}: an operation there takes {results.SlowMs:0.0} ms, elsewhere {results.HealthyMs:0.00} ms. First at fixed arrivals, then with 8 workers"),
        ["", "p99 ms", "without it", "ratio", "share there", "kept", "p99 ms", "without it", "ratio", "share there", "kept", "return noticed s", "errors"],
        [.. results.Arms.Select(arm => Row(arm.Key, arm.Value))]);

    private static IReadOnlyList<string> Row(string name, SlowFigures figures) =>
    [
        name, .. Cells(figures.Open), .. Cells(figures.Closed),
        Grid.Number(figures.NoticedAfter.TotalSeconds, "0.0"), Grid.Number(figures.Open.Errors + figures.Closed.Errors, "0"),
    ];

    private static IEnumerable<string> Cells(LoadFigures load) =>
    [
        Grid.Number(load.P99Ms, "0.00"), Grid.Number(load.P99WithoutMs, "0.00"), Grid.Number(load.P99Ratio, "0.00"),
        Grid.Number(load.ShareToSlow, "0.0%"), Grid.Number(load.ThroughputKept, "0%"),
    ];
}
