namespace ReplicaRouter.Benchmarks.Hedges;

/// <summary>What second runs of slow reads bring, and what they cost.</summary>
internal sealed record HedgeFigures
{
    /// <summary>What half of the reads take at least in the server, beside what a look-up does; 0 for look-ups.</summary>
    public required double TypicalMs { get; init; }

    /// <summary>What a slow request takes.</summary>
    public required double SlowMs { get; init; }

    /// <summary>No request is slow.</summary>
    public required double HealthyP99Ms { get; init; }

    /// <inheritdoc cref="HealthyP99Ms"/>
    public required double HealthyP999Ms { get; init; }

    /// <summary>Without second runs.</summary>
    public required double PlainP99Ms { get; init; }

    /// <inheritdoc cref="PlainP99Ms"/>
    public required double PlainP999Ms { get; init; }

    /// <summary>With second runs.</summary>
    public required double HedgedP99Ms { get; init; }

    /// <inheritdoc cref="HedgedP99Ms"/>
    public required double HedgedP999Ms { get; init; }

    /// <summary>Requests sent beyond one for each operation, as a share of the operations.</summary>
    public required double ExtraRequests { get; init; }

    public required int Errors { get; init; }
}
