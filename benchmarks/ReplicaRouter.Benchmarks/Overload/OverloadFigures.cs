namespace ReplicaRouter.Benchmarks.Overload;

/// <summary>What came of three times as many reads as all hosts can do, and of the loss of all replicas.</summary>
/// <param name="GoodputShare">Reads answered a second while three times as many came, as a share of the most that was ever answered.</param>
/// <param name="ReadP99Ratio">Their p99, to that without overload.</param>
/// <param name="SecondsToNormal">Time after the cause was gone, of the overload or of the loss, until reads were as before.</param>
/// <param name="ErrorsAfter">Reads that failed from 5 s after it.</param>
/// <param name="Lost">What came of the loss.</param>
internal sealed record OverloadFigures(double GoodputShare, double ReadP99Ratio, double SecondsToNormal, long ErrorsAfter, LossFigures Lost)
{
    private const double LeastGoodput = 0.9;
    private const double MostP99Ratio = 2;
    private const double MostSeconds = 5;

    public bool Holds => GoodputShare >= LeastGoodput && ReadP99Ratio <= MostP99Ratio && SecondsToNormal <= MostSeconds && ErrorsAfter == 0;

    /// <summary>The median of several runs, each figure by itself.</summary>
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

/// <summary>What came of the loss of all replicas, while the primary served their reads as far as it could.</summary>
/// <param name="GoodputShare">Reads answered a second, as a share of the most that the primary ever answered.</param>
/// <param name="ReadP99Ratio">The p99 of those that were answered, to that without a loss.</param>
/// <param name="WriteP99Ratio">The p99 of writes, likewise: whether the primary survives is told by its own work.</param>
internal sealed record LossFigures(double GoodputShare, double ReadP99Ratio, double WriteP99Ratio);
