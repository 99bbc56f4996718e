namespace ReplicaRouter.Sessions;

/// <summary>What a session did on one host and one timeline, and is not covered by a known position yet. Guarded by its session's lock.</summary>
internal sealed class SessionUse
{
    /// <summary>The host; null for a deed that another process did.</summary>
    public required HostConfiguration? Host { get; init; }

    /// <summary>The timeline on which it was done; 0 when unknown.</summary>
    public required int Timeline { get; set; }

    /// <summary>Where that timeline left the former one; 0 when unknown.</summary>
    public ulong Fork { get; set; }

    /// <summary>The cluster that another process meant; 0 when unknown.</summary>
    public ulong SystemIdentifier { get; init; }

    /// <summary>Timestamp of the first deed.</summary>
    public required long Since { get; set; }

    /// <summary>Timestamp of the last one; as long as connections are open there may be more.</summary>
    public required long Until { get; set; }

    /// <summary>Open connections.</summary>
    public int Open { get; set; }

    /// <summary>Whether a connection that may write was among them.</summary>
    public bool IsWrite { get; set; }

    /// <summary>Whether something was read there that the primary may have hidden by then.</summary>
    public bool IsOnReplica { get; set; }

    /// <summary>Whether it was done on another timeline than the primary's, so that the primary's position says nothing of it.</summary>
    public bool IsAcross(TopologySnapshot topology) => (Timeline != 0 && Timeline != topology.Primary?.Answer!.Timeline) || topology.History.IsOnOtherFork(Timeline, Fork);
}
