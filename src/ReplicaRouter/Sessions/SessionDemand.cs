namespace ReplicaRouter.Sessions;

/// <summary>What a session asks of the host of its next read.</summary>
/// <param name="Floor">What a replica must have replayed.</param>
/// <param name="Affinity">The replica that the session read from last, as a bit: there it needs no proof.</param>
/// <param name="Unsettled">Hosts on which the session did what has no known position yet, one bit each.</param>
/// <param name="IsAcrossTimelines">Whether some of that was done on another timeline than the primary's.</param>
/// <param name="Finding">What was found just now of what the session has seen.</param>
internal readonly record struct SessionDemand(WalPosition Floor, ulong Affinity, ulong Unsettled, bool IsAcrossTimelines, SessionFinding Finding)
{
    /// <summary>Whether the session wrote so lately that only the primary will do: where positions can't be used.</summary>
    public bool IsWriteRecent { get; init; }

    /// <summary>The timeline of the snapshot that the demand was made of.</summary>
    public int Timeline { get; init; }

    /// <summary>The same with a position that nobody has reached.</summary>
    public SessionDemand Unmet() => this with { Floor = Floor with { Lsn = ulong.MaxValue } };

    /// <summary>Whether the session may read from a host without asking for positions first.</summary>
    public bool Allows(HostSnapshot host) => host.Role == HostRole.Primary
        ? !IsAcrossTimelines
        : (Unsettled & ~(host.Configuration.Bit & Affinity)) == 0;
}

/// <summary>What may be wrong with what a session has seen.</summary>
internal enum SessionFinding
{
    None,

    /// <summary>It was given the token of another cluster.</summary>
    ForeignToken,

    /// <summary>It has seen or written what the cluster's present history may not hold: a failover lost it.</summary>
    LostHistory,
}
