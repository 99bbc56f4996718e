namespace ReplicaRouter;

/// <summary>The last observed role of a host. It never comes from the configuration.</summary>
public enum HostRole
{
    /// <summary>Not observed yet, or a former primary that no longer answers.</summary>
    Unknown,

    /// <summary>Out of recovery: it accepts writes.</summary>
    Primary,

    /// <summary>In recovery: a standby that replays WAL.</summary>
    Replica,
}
