namespace ReplicaRouter.Benchmarks.Peers;

/// <summary>What one arm did in one round.</summary>
internal sealed record SteadySlice
{
    /// <summary>In closed loop with eight workers, after a peak.</summary>
    public required double OpsPerSecond { get; init; }

    /// <summary>The same before the peak, when the pools have seen no more than eight workers.</summary>
    public required double OpsPerSecondFresh { get; init; }

    /// <summary>In closed loop with one worker.</summary>
    public required double OpsPerSecondAlone { get; init; }

    /// <summary>Of client, proxy and servers, with eight workers.</summary>
    public required double CpuUsPerOp { get; init; }

    /// <summary>Allocated by this process, with eight workers.</summary>
    public required double BytesPerOp { get; init; }

    /// <summary>At the fixed arrival rate.</summary>
    public required double P50Ms { get; init; }

    /// <inheritdoc cref="P50Ms"/>
    public required double P99Ms { get; init; }

    /// <inheritdoc cref="P50Ms"/>
    public required double P999Ms { get; init; }

    /// <summary>Connections that the arm, or its proxy, keeps to all replicas by then.</summary>
    public required int Connections { get; init; }

    /// <summary>Garbage collections of generations 1 and 2, with eight workers.</summary>
    public required int Collections { get; init; }

    /// <summary>Of the machine's time that which went to others, with eight workers; 0 to 1. Above a few percent, figures say little.</summary>
    public required double Disturbance { get; init; }

    /// <summary>Operations that failed in any of the loads, by what was said.</summary>
    public required IReadOnlyDictionary<string, int> Errors { get; init; }
}
