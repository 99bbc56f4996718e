namespace ReplicaRouter.Checks.LostHistory;

/// <summary>The options of a <see cref="LostHistoryCheck"/>.</summary>
public sealed record LostHistoryCheckOptions
{
    /// <summary>Duration of the part without a fault.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Number of concurrent sessions.</summary>
    public int Sessions { get; init; } = 24;

    /// <summary>Whether a failover to the synchronous standby follows.</summary>
    public bool HasFailover { get; init; } = true;
}
