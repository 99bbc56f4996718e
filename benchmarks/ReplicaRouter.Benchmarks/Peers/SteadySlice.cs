namespace ReplicaRouter.Benchmarks.Peers;

/// <summary>The figures of one arm in one round.</summary>
internal sealed record SteadySlice
{
    /// <summary>In a closed loop with eight workers, after a peak.</summary>
    public required double OpsPerSecond { get; init; }

    /// <summary>The same before the peak, when the pools have seen no more than eight workers.</summary>
    public required double OpsPerSecondFresh { get; init; }

    /// <summary>In a closed loop with one worker.</summary>
    public required double OpsPerSecondAlone { get; init; }

    /// <summary>CPU time of client, proxy and servers in microseconds, with eight workers.</summary>
    public required double CpuUsPerOp { get; init; }

    /// <summary>Bytes allocated by this process, with eight workers.</summary>
    public required double BytesPerOp { get; init; }

    /// <summary>At the fixed arrival rate.</summary>
    public required double P50Ms { get; init; }

    /// <inheritdoc cref="P50Ms"/>
    public required double P99Ms { get; init; }

    /// <inheritdoc cref="P50Ms"/>
    public required double P999Ms { get; init; }

    /// <summary>Connections that the arm or its proxy has to all replicas after that.</summary>
    public required int Connections { get; init; }

    /// <summary>Garbage collections of generations 1 and 2, with eight workers.</summary>
    public required int Collections { get; init; }

    /// <summary>Share of the machine's CPU time that other work used, with eight workers; 0 to 1. Above a few percent, the figures are not reliable.</summary>
    public required double Disturbance { get; init; }

    /// <summary>Counts of failed operations in all loads, by error.</summary>
    public required IReadOnlyDictionary<string, int> Errors { get; init; }
}
