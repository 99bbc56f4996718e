namespace ReplicaRouter.Diagnostics;

/// <summary>The events that a router counts in one plain number each.</summary>
internal enum RouterEvent
{
    Failover,
    ForcedToPrimary,
    NotOpened,
    Retry,
    WriteRetry,
    RetryRefused,
    Moved,
    Hedge,
    HedgeWon,
    Shed,
    Session,
    PositionAsked,
    CatchUpWait,
    LostHistory,
    IgnoredToken,
    HostAdded,
    HostRemoved,

    /// <summary>The groups, labels or weight of a host changed.</summary>
    HostReassigned,

    /// <summary>The connection settings of a host changed.</summary>
    HostReconnected,
}
