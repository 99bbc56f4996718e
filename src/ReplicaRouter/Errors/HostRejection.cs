namespace ReplicaRouter;

/// <summary>Why a host could not serve an operation.</summary>
public sealed record HostRejection
{
    /// <summary>The host's name.</summary>
    public required string Host { get; init; }

    /// <summary>The reason, in words. Never holds a password.</summary>
    public required string Reason { get; init; }
}
