namespace ReplicaRouter.Hosts;

/// <summary>Whether a host may serve a request, or why not. Later values are worse reasons.</summary>
internal enum Verdict
{
    Eligible,

    /// <summary>May serve while no better host is left.</summary>
    Suspect,

    NotMember,

    /// <summary>It is the primary, and the tier asks for replicas.</summary>
    IsPrimary,

    NotPrimary,
    LabelsMissing,
    Excluded,
    ForcedToPrimary,
    Drained,

    /// <summary>It has not yet replayed what the session has written or read.</summary>
    BehindSession,

    Lagging,
    LagUnknown,
    Unknown,
    Down,
    Hung,
    Restarting,
    Misconfigured,
    Failing,
    OldTimeline,
    Fenced,
    SplitBrain,
    ForeignCluster,
}
