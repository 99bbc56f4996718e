namespace ReplicaRouter.Benchmarks.Peers;

/// <summary>An arm's medians over all rounds, and how it compares with the baseline within each round.</summary>
internal sealed record SteadyFigures
{
    public required SteadySlice Medians { get; init; }

    /// <summary>Throughput with eight workers relative to the baseline's; null without a baseline.</summary>
    public double? ThroughputRatio { get; init; }

    /// <summary>The same with fresh pools.</summary>
    public double? FreshRatio { get; init; }

    /// <summary>Throughput with one worker relative to the baseline's; null without a baseline.</summary>
    public double? AloneRatio { get; init; }

    /// <summary>CPU time of an operation relative to the baseline's; null without a baseline.</summary>
    public double? CpuRatio { get; init; }

    /// <summary>Bytes that an operation allocates relative to the baseline's; null without a baseline.</summary>
    public double? BytesRatio { get; init; }

    /// <summary>The arm's throughput after the peak, relative to its throughput before the peak.</summary>
    public required double AfterPeak { get; init; }

    /// <param name="mine">The arm's rounds.</param>
    /// <param name="baseline">The baseline's rounds in the same order; empty if it was not measured.</param>
    public static SteadyFigures Of(IReadOnlyList<SteadySlice> mine, IReadOnlyList<SteadySlice> baseline)
    {
        return new()
        {
            Medians = new()
            {
                OpsPerSecond = Median(slice => slice.OpsPerSecond),
                OpsPerSecondFresh = Median(slice => slice.OpsPerSecondFresh),
                OpsPerSecondAlone = Median(slice => slice.OpsPerSecondAlone),
                CpuUsPerOp = Median(slice => slice.CpuUsPerOp),
                BytesPerOp = Median(slice => slice.BytesPerOp),
                P50Ms = Median(slice => slice.P50Ms),
                P99Ms = Median(slice => slice.P99Ms),
                P999Ms = Median(slice => slice.P999Ms),
                Connections = (int)Median(slice => slice.Connections),
                Collections = (int)Median(slice => slice.Collections),
                Disturbance = Median(slice => slice.Disturbance),
                Errors = mine.SelectMany(slice => slice.Errors).GroupBy(error => error.Key, error => error.Value).ToDictionary(error => error.Key, error => error.Sum()),
            },
            ThroughputRatio = Ratio(slice => slice.OpsPerSecond),
            FreshRatio = Ratio(slice => slice.OpsPerSecondFresh),
            AloneRatio = Ratio(slice => slice.OpsPerSecondAlone),
            CpuRatio = Ratio(slice => slice.CpuUsPerOp),
            BytesRatio = Ratio(slice => slice.BytesPerOp),
            AfterPeak = Median(slice => slice.OpsPerSecond / slice.OpsPerSecondFresh),
        };

        double Median(Func<SteadySlice, double> figure) => Statistics.Median(mine.Select(figure));

        double? Ratio(Func<SteadySlice, double> figure) =>
            baseline.Count == 0 ? null : Statistics.Median(mine.Zip(baseline, (own, other) => figure(own) / figure(other)));
    }
}
