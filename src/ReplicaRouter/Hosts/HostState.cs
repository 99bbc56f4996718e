namespace ReplicaRouter;

/// <summary>How a host stands, from its observations alone; what an operator ordered is told apart (<see cref="HostHealth.IsDrained"/>).</summary>
public enum HostState
{
    /// <summary>Never observed, or the last observation is too old to be believed.</summary>
    Unknown,

    /// <summary>Answers, and on a replica the replication lag is within the limit.</summary>
    Healthy,

    /// <summary>Missed one probe. Serves only while no better host of its group is left.</summary>
    Suspect,

    /// <summary>A replica that answers, but is further behind the primary than the limit.</summary>
    Lagging,

    /// <summary>A replica that answers, but whose lag can't be told: no primary position is known that it has replayed.</summary>
    LagUnknown,

    /// <summary>Refuses connections or broke them.</summary>
    Down,

    /// <summary>Accepts connections, or did, and answers nothing: it is suspended, overwhelmed, or cut off. Work under way there is moved where that is safe.</summary>
    Hung,

    /// <summary>Answers again after it was out. It gets traffic once it has answered several probes, for longer the more often it failed lately.</summary>
    Recovering,

    /// <summary>Answers over open connections, but lets nobody log in. Those connections go on serving; no new one is tried.</summary>
    NoLogins,

    /// <summary>Has no connection slot left (SQLSTATE 53300): saturated, not dead. Open connections go on serving; no new one is tried.</summary>
    Full,

    /// <summary>Starting up, shutting down or recovering (SQLSTATE 57P03, 57P01, 57P02): it answers, but takes no queries.</summary>
    Restarting,

    /// <summary>Refuses our credentials, database or TLS settings, or shows a timeline that promotions can't explain. The configuration or the server must change.</summary>
    Misconfigured,

    /// <summary>Its system identifier says that it belongs to another cluster. Gets no traffic.</summary>
    ForeignCluster,

    /// <summary>
    /// Out of recovery, but not the cluster's primary: another server of the cluster vouches for a newer timeline, its source calls it a replica while the
    /// primary is well, or an operator gave its timeline up. Must take no writes.
    /// </summary>
    Fenced,

    /// <summary>A standby that follows another timeline than the primary's: what it replays is another history.</summary>
    OldTimeline,

    /// <summary>One of several servers out of recovery on the same timeline. Which is right can't be told, so none takes writes.</summary>
    SplitBrain,

    /// <summary>
    /// A replica that answers probes, but fails many statements that other hosts answer: a table's file is gone, data is damaged, memory or disk is full, a migration is
    /// not replayed. It is left out, unless that were more than half of the replicas, and tried again after 5 s; each time that this shows the same, after twice as long.
    /// </summary>
    Failing,

    /// <summary>A primary on which <c>default_transaction_read_only</c> is on for our role: it serves, but each write that does not set it off fails (SQLSTATE 25006).</summary>
    ReadOnly,
}
