namespace ReplicaRouter;

/// <summary>What a host was last observed to be. Never what it is configured as.</summary>
public enum HostRole
{
    /// <summary>Not observed yet; or it was the primary when it last answered, and does not answer now.</summary>
    Unknown,

    /// <summary>Out of recovery: it accepts writes.</summary>
    Primary,

    /// <summary>In recovery: a standby that replays WAL.</summary>
    Replica,
}
