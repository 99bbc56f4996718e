namespace ReplicaRouter.Sessions;

/// <summary>What a session requires of the host of its next read.</summary>
/// <param name="Floor">The requirement: the position that a replica must have replayed.</param>
/// <param name="Affinity">The sticky replica, which the session read from last, as a bit. It needs no position.</param>
/// <param name="Unsettled">Hosts with accesses whose position is not known yet, one bit each.</param>
/// <param name="IsAcrossTimelines">Whether some of these accesses were on another timeline than the primary's.</param>
/// <param name="Finding">What was just found about what the session has seen.</param>
internal readonly record struct ReadRequirement(WalPosition Floor, ulong Affinity, ulong Unsettled, bool IsAcrossTimelines, SessionFinding Finding)
{
    /// <summary>Whether the session wrote so recently that only the primary may serve, where positions can't be used.</summary>
    public bool IsWriteRecent { get; init; }

    /// <summary>The timeline of the snapshot that this was derived from.</summary>
    public int Timeline { get; init; }

    /// <summary>Whether the session may read from a host without asking for positions first.</summary>
    public bool Allows(HostSnapshot host) => host.Role == HostRole.Primary
        ? !IsAcrossTimelines
        : (Unsettled & ~(host.Configuration.Bit & Affinity)) == 0;
}

/// <summary>What can be wrong with what a session has seen.</summary>
internal enum SessionFinding
{
    None,

    /// <summary>It received a token from another cluster.</summary>
    ForeignToken,

    /// <summary>It has seen or written what a failover lost: the cluster's current history may not hold it.</summary>
    LostHistory,
}
