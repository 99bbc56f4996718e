namespace ReplicaRouter.Checks;

/// <summary>How long and how a <see cref="LostHistoryCheck"/> runs.</summary>
public sealed record LostHistoryCheckOptions
{
    /// <summary>Time without a fault.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Sessions that work at once.</summary>
    public int Sessions { get; init; } = 24;

    /// <summary>Whether a failover to the synchronous standby follows.</summary>
    public bool HasFailover { get; init; } = true;
}
