namespace ReplicaRouter.Benchmarks.Micro;

/// <summary>The router's own work: a shorter version of the micro-benchmarks, measured in alternation.</summary>
internal sealed record MicroFigures
{
    /// <summary>Choosing among 3 hosts.</summary>
    public required Cost Pick3 { get; init; }

    /// <summary>Choosing among 16 hosts.</summary>
    public required Cost Pick16 { get; init; }

    /// <summary>Opening and closing a pooled connection: Npgsql, one host.</summary>
    public required Cost SingleHost { get; init; }

    /// <inheritdoc cref="SingleHost"/>
    public required Cost MultiHost { get; init; }

    /// <inheritdoc cref="SingleHost"/>
    public required Cost Router { get; init; }

    /// <summary>The router's ratio to Npgsql with one host, taken within each round.</summary>
    public required double ToSingleHost { get; init; }

    /// <summary>The router's ratio to Npgsql multi-host, taken within each round.</summary>
    public required double ToMultiHost { get; init; }

    /// <summary>Returns the median of each figure.</summary>
    public static MicroFigures Median(IReadOnlyCollection<MicroFigures> runs) => new()
    {
        Pick3 = Cost.Median(runs.Select(run => run.Pick3)),
        Pick16 = Cost.Median(runs.Select(run => run.Pick16)),
        SingleHost = Cost.Median(runs.Select(run => run.SingleHost)),
        MultiHost = Cost.Median(runs.Select(run => run.MultiHost)),
        Router = Cost.Median(runs.Select(run => run.Router)),
        ToSingleHost = Statistics.Median(runs.Select(run => run.ToSingleHost)),
        ToMultiHost = Statistics.Median(runs.Select(run => run.ToMultiHost)),
    };
}

/// <summary>The cost of one operation.</summary>
internal sealed record Cost(double Nanoseconds, double Bytes)
{
    public static Cost Median(IEnumerable<Cost> costs)
    {
        var all = costs.ToList();
        return new(Statistics.Median(all.Select(cost => cost.Nanoseconds)), Statistics.Median(all.Select(cost => cost.Bytes)));
    }

    public static Cost Of(Timing timing) => new(timing.Nanoseconds, timing.Bytes);
}
