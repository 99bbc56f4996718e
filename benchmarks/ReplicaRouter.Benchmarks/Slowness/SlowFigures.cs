namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>The figures of one arm with slow replicas.</summary>
internal sealed record SlowFigures
{
    /// <summary>At the fixed arrival rate.</summary>
    public required LoadFigures Open { get; init; }

    /// <summary>With eight workers.</summary>
    public required LoadFigures Closed { get; init; }

    /// <summary>Time from the end of the slowness until the hosts get half of their fair share again; the watched time if they do not.</summary>
    public required TimeSpan NoticedAfter { get; init; }

    public static SlowFigures Median(IReadOnlyList<SlowFigures> rounds) => new()
    {
        Open = LoadFigures.Median([.. rounds.Select(round => round.Open)]),
        Closed = LoadFigures.Median([.. rounds.Select(round => round.Closed)]),
        NoticedAfter = TimeSpan.FromSeconds(Statistics.Median(rounds.Select(round => round.NoticedAfter.TotalSeconds))),
    };
}

/// <summary>One kind of load, with the slow hosts and without them.</summary>
/// <param name="P99Ms">The p99 with the slow hosts.</param>
/// <param name="P99WithoutMs">The p99 of an arm that does not know the slow hosts.</param>
/// <param name="ShareToSlow">Share of the answers that came from slow hosts, as the servers report; 0 to 1.</param>
/// <param name="ThroughputKept">Throughput relative to that without the slow hosts.</param>
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
