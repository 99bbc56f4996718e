namespace ReplicaRouter;

/// <summary>What a host was last observed to be. Never what it is configured as.</summary>
public enum HostRole
{
    /// <summary>Not observed yet.</summary>
    Unknown,

    /// <summary>Out of recovery: it accepts writes.</summary>
    Primary,

    /// <summary>In recovery: a standby that replays WAL.</summary>
    Replica,
}
