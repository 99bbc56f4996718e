namespace ReplicaRouter;

/// <summary>The last observed health of a host.</summary>
public sealed record HostHealth
{
    /// <summary>Whether the host can serve the work of its role and groups. A lagging replica is not healthy.</summary>
    public required bool IsHealthy { get; init; }

    /// <summary>Duration of the last probe, successful or not; zero before the first probe.</summary>
    public required TimeSpan Latency { get; init; }

    /// <summary>Age of the newest primary position that the replica has replayed; zero if it has replayed all. <see langword="null"/> if not a replica, or unknown.</summary>
    public required TimeSpan? ReplicationLag { get; init; }

    /// <summary>WAL that the replica has not replayed yet, in bytes; <see langword="null"/> if not a replica, or unknown.</summary>
    public required long? LagBytes { get; init; }

    /// <summary>Why the host is not healthy; <see langword="null"/> if it is. Never contains a password.</summary>
    public required string? Error { get; init; }

    /// <summary>The last observed role.</summary>
    public required HostRole Role { get; init; }

    /// <summary>The host's state.</summary>
    public required HostState State { get; init; }

    /// <summary>Whether an operator has drained the host: it gets no new work until it is restored.</summary>
    public required bool IsDrained { get; init; }

    /// <summary>The timeline that the host is on or follows; <see langword="null"/> if unknown.</summary>
    public required int? Timeline { get; init; }

    /// <summary>Connections that callers hold now.</summary>
    public required int ConnectionsInUse { get; init; }

    /// <summary>Time since the host last answered a probe; <see langword="null"/> if it never did.</summary>
    public required TimeSpan? Age { get; init; }
}
