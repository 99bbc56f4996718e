namespace ReplicaRouter;

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
}
