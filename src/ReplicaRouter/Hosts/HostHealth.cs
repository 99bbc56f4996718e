namespace ReplicaRouter;

/// <summary>How one host was last seen.</summary>
public sealed record HostHealth
{
    /// <summary>Whether the host can serve what its role and group allow. A replica that lags is not healthy.</summary>
    public required bool IsHealthy { get; init; }

    /// <summary>How long the last probe took, whether it succeeded or not; zero before the first one.</summary>
    public required TimeSpan Latency { get; init; }

    /// <summary>Age of the newest primary position that the replica has replayed; zero when it has replayed all. <see langword="null"/>: not a replica, or not known.</summary>
    public required TimeSpan? ReplicationLag { get; init; }

    /// <summary>WAL that the replica has still to replay, in bytes; <see langword="null"/>: not a replica, or not known.</summary>
    public required long? LagBytes { get; init; }

    /// <summary>Why the host is not healthy, in words; <see langword="null"/> when it is. Never holds a password.</summary>
    public required string? Error { get; init; }

    /// <summary>What the host was last observed to be.</summary>
    public required HostRole Role { get; init; }

    /// <summary>How the host stands.</summary>
    public required HostState State { get; init; }

    /// <summary>Whether an operator has drained the host: it gets no new work until restored.</summary>
    public required bool IsDrained { get; init; }

    /// <summary>The timeline that the host is on or follows; <see langword="null"/>: not known.</summary>
    public required int? Timeline { get; init; }

    /// <summary>Connections that callers hold at this moment.</summary>
    public required int ConnectionsInUse { get; init; }

    /// <summary>Time since the host last answered a probe; <see langword="null"/>: it never did.</summary>
    public required TimeSpan? Age { get; init; }
}
