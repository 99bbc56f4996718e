namespace ReplicaRouter.Checks;

/// <summary>How long and how a <see cref="BackInTimeCheck"/> runs.</summary>
public sealed record BackInTimeCheckOptions
{
    /// <summary>Pairs after which it ends.</summary>
    public long Pairs { get; init; } = 2_000;

    /// <summary>Sessions that work at once.</summary>
    public int Sessions { get; init; } = 8;

    /// <summary>Whether commits wait for a standby, which is cut off now and then.</summary>
    public bool IsSynchronous { get; init; } = true;

    /// <summary>Seed of the work and of the cuts.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Receives what happens.</summary>
    public Action<string>? Log { get; init; }
}
