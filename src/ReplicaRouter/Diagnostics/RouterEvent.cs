namespace ReplicaRouter.Diagnostics;

/// <summary>What a router counts as one plain number.</summary>
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

    /// <summary>A host got other groups, labels or another weight.</summary>
    HostReassigned,

    /// <summary>A host is connected to in another way.</summary>
    HostReconnected,
}
