namespace ReplicaRouter.Sessions;

/// <summary>A session's accesses to one host on one timeline that no known position covers yet. Guarded by its session's lock.</summary>
internal sealed class HostAccess
{
    /// <summary>The host; null for accesses by another process.</summary>
    public required HostConfiguration? Host { get; init; }

    /// <summary>The timeline of the accesses; 0 if unknown.</summary>
    public required int Timeline { get; set; }

    /// <summary>The position at which that timeline branched off the previous one; 0 if unknown.</summary>
    public ulong Fork { get; set; }

    /// <summary>The other process's cluster; 0 if unknown.</summary>
    public ulong SystemIdentifier { get; init; }

    /// <summary>Timestamp of the first access.</summary>
    public required long Since { get; set; }

    /// <summary>Timestamp of the last access. While connections are open, there can be more.</summary>
    public required long Until { get; set; }

    /// <summary>Number of open connections.</summary>
    public int Open { get; set; }

    /// <summary>Whether one of the connections could write.</summary>
    public bool IsWrite { get; set; }

    /// <summary>Whether something was read there that the primary may have hidden at the time.</summary>
    public bool IsOnReplica { get; set; }

    /// <summary>Whether the accesses were on another timeline than the primary's, so that the primary's position does not cover them.</summary>
    public bool IsAcross(TopologySnapshot topology) => (Timeline != 0 && Timeline != topology.Primary?.Answer!.Timeline) || topology.History.IsOnOtherFork(Timeline, Fork);
}
