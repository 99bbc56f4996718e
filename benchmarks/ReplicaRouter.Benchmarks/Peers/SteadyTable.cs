using System.Globalization;
using ReplicaRouter.Benchmarks.Reports;

namespace ReplicaRouter.Benchmarks.Peers;

/// <summary>The figures of all peers, one row per peer.</summary>
internal static class SteadyTable
{
    public static Grid Of(IReadOnlyDictionary<string, SteadyFigures> arms, double rate) => new(
        string.Create(CultureInfo.InvariantCulture, $"Reads of one row on healthy servers. Ratios to {Peer.Baseline}; latencies at {rate:#,0} arrivals a second"),
        ["", "op/s, 8 workers", "ratio", "with fresh pools", "after the peak", "op/s, 1 worker", "ratio", "CPU us/op", "ratio", "p50 ms", "p99 ms", "p99.9 ms", "bytes/op", "connections", "gen 1+2", "errors", "others' CPU"],
        [.. arms.Select(arm => Row(arm.Key, arm.Value))]);

    private static IReadOnlyList<string> Row(string name, SteadyFigures figures)
    {
        var medians = figures.Medians;
        return
        [
            name,
            Grid.Number(medians.OpsPerSecond, "#,0"), Grid.Number(figures.ThroughputRatio, "0.00"), Grid.Number(figures.FreshRatio, "0.00"), Grid.Number(figures.AfterPeak, "0.00"),
            Grid.Number(medians.OpsPerSecondAlone, "#,0"), Grid.Number(figures.AloneRatio, "0.00"),
            Grid.Number(medians.CpuUsPerOp, "0"), Grid.Number(figures.CpuRatio, "0.00"),
            Grid.Number(medians.P50Ms, "0.00"), Grid.Number(medians.P99Ms, "0.00"), Grid.Number(medians.P999Ms, "0.00"),
            Grid.Number(medians.BytesPerOp, "#,0"), Grid.Number(medians.Connections, "0"), Grid.Number(medians.Collections, "0"), Grid.Number(medians.Errors.Values.Sum(), "0"), Grid.Number(medians.Disturbance, "0%"),
        ];
    }
}
