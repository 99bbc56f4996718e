namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>What one arm made of slow replicas.</summary>
internal sealed record SlowFigures
{
    /// <summary>At the fixed arrival rate.</summary>
    public required LoadFigures Open { get; init; }

    /// <summary>With eight workers.</summary>
    public required LoadFigures Closed { get; init; }

    /// <summary>From the end of the slowness until the hosts are given half of their fair share again; the time that was watched when they were not.</summary>
    public required TimeSpan NoticedAfter { get; init; }

    public static SlowFigures Median(IReadOnlyList<SlowFigures> rounds) => new()
    {
        Open = LoadFigures.Median([.. rounds.Select(round => round.Open)]),
        Closed = LoadFigures.Median([.. rounds.Select(round => round.Closed)]),
        NoticedAfter = TimeSpan.FromSeconds(Statistics.Median(rounds.Select(round => round.NoticedAfter.TotalSeconds))),
    };
}

/// <summary>One kind of load, with the slow hosts and without them.</summary>
/// <param name="P99Ms">Since the hosts became slow, what it took to notice it included.</param>
/// <param name="P99WithoutMs">The same for an arm that does not know the slow hosts.</param>
/// <param name="ShareToSlow">Of all answers those that slow hosts gave, by the servers' own word; 0 to 1.</param>
/// <param name="ThroughputKept">Operations a second, those without the slow hosts being 1.</param>
/// <param name="Errors">Operations that failed.</param>
internal sealed record LoadFigures(double P99Ms, double P99WithoutMs, double ShareToSlow, double ThroughputKept, double Errors)
{
    public double P99Ratio => P99Ms / P99WithoutMs;

    public static LoadFigures Median(IReadOnlyList<LoadFigures> rounds)
    {
        return new(Of(round => round.P99Ms), Of(round => round.P99WithoutMs), Of(round => round.ShareToSlow), Of(round => round.ThroughputKept), rounds.Sum(round => round.Errors));

        double Of(Func<LoadFigures, double> figure) => Statistics.Median(rounds.Select(figure));
    }
}
