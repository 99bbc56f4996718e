namespace ReplicaRouter.Benchmarks.Overload;

/// <summary>The effect of three times as many reads as all hosts can serve, and of the loss of all replicas.</summary>
/// <param name="GoodputShare">Reads answered per second during the overload, as a share of the peak.</param>
/// <param name="ReadP99Ratio">The ratio of their p99 to that without overload.</param>
/// <param name="SecondsToNormal">Seconds from the end of the overload or of the loss until reads were as before, the longer of both.</param>
/// <param name="ErrorsAfter">Reads that failed later than 5 s after the end of either.</param>
/// <param name="Lost">The effect of the loss.</param>
internal sealed record OverloadFigures(double GoodputShare, double ReadP99Ratio, double SecondsToNormal, long ErrorsAfter, LossFigures Lost)
{
    private const double LeastGoodput = 0.9;
    private const double MostP99Ratio = 2;
    private const double MostSeconds = 5;

    public bool Holds => GoodputShare >= LeastGoodput && ReadP99Ratio <= MostP99Ratio && SecondsToNormal <= MostSeconds && ErrorsAfter == 0;

    /// <summary>Returns the median of each figure over several runs.</summary>
    public static OverloadFigures MedianOf(IReadOnlyList<OverloadFigures> runs) => new(
        Statistics.Median(runs.Select(run => run.GoodputShare)),
        Statistics.Median(runs.Select(run => run.ReadP99Ratio)),
        Statistics.Median(runs.Select(run => run.SecondsToNormal)),
        (long)Statistics.Median(runs.Select(run => (double)run.ErrorsAfter)),
        new LossFigures(
            Statistics.Median(runs.Select(run => run.Lost.GoodputShare)),
            Statistics.Median(runs.Select(run => run.Lost.ReadP99Ratio)),
            Statistics.Median(runs.Select(run => run.Lost.WriteP99Ratio))));
}

/// <summary>The effect of the loss of all replicas, while the primary serves their reads up to its limit.</summary>
/// <param name="GoodputShare">Reads answered per second, as a share of the primary's peak.</param>
/// <param name="ReadP99Ratio">The ratio of their p99 to that without a loss.</param>
/// <param name="WriteP99Ratio">The same ratio for writes, the primary's own work: it shows whether the primary is protected.</param>
internal sealed record LossFigures(double GoodputShare, double ReadP99Ratio, double WriteP99Ratio);
