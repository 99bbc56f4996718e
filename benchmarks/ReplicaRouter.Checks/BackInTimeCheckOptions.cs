namespace ReplicaRouter.Checks;

/// <summary>The options of a <see cref="BackInTimeCheck"/>.</summary>
public sealed record BackInTimeCheckOptions
{
    /// <summary>Number of pairs after which the check ends.</summary>
    public long Pairs { get; init; } = 2_000;

    /// <summary>Number of concurrent sessions.</summary>
    public int Sessions { get; init; } = 8;

    /// <summary>Whether commits wait for a standby, which is cut off from time to time.</summary>
    public bool IsSynchronous { get; init; } = true;

    /// <summary>Seed of the work and of the cuts.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Receives a line for each event.</summary>
    public Action<string>? Log { get; init; }
}
