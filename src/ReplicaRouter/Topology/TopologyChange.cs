namespace ReplicaRouter;

/// <summary>What may happen to a host's configuration while the router runs.</summary>
internal enum TopologyChange
{
    Added,
    Removed,

    /// <summary>Its groups, labels or weight.</summary>
    Reassigned,

    /// <summary>How it is connected to.</summary>
    Reconnected,
}
