namespace ReplicaRouter;

/// <summary>The state of a host, from observations only. It does not include an operator's drain (<see cref="HostHealth.IsDrained"/>).</summary>
public enum HostState
{
    /// <summary>Never observed, or the last observation is too old.</summary>
    Unknown,

    /// <summary>Answers; the replication lag of a replica is within the limit.</summary>
    Healthy,

    /// <summary>Missed one probe. Serves only if its group has no better host.</summary>
    Suspect,

    /// <summary>A replica that answers, but lags behind the primary by more than the limit.</summary>
    Lagging,

    /// <summary>A replica that answers, but whose lag is unknown: it has replayed no known position of the primary.</summary>
    LagUnknown,

    /// <summary>Refuses or breaks connections.</summary>
    Down,

    /// <summary>Accepts or accepted connections, but does not answer: it is suspended, overloaded or cut off. Work in progress is moved where that is safe.</summary>
    Hung,

    /// <summary>Answers again after a failure. It gets traffic after several answered probes; the wait grows with its number of recent failures.</summary>
    Recovering,

    /// <summary>Answers over open connections, but accepts no new logins. Open connections keep serving; the router opens no new ones.</summary>
    NoLogins,

    /// <summary>Has no connection slots left (SQLSTATE 53300): saturated, not down. Open connections keep serving; the router opens no new ones.</summary>
    Full,

    /// <summary>Starting up, shutting down or recovering (SQLSTATE 57P03, 57P01, 57P02): it answers, but accepts no queries.</summary>
    Restarting,

    /// <summary>Refuses the router's credentials, database or TLS settings, or reports a timeline that promotions can't explain. Change the configuration or the server.</summary>
    Misconfigured,

    /// <summary>Belongs to another cluster, by its system identifier. Gets no traffic.</summary>
    ForeignCluster,

    /// <summary>
    /// Out of recovery, but not the cluster's primary: another server of the cluster confirms a newer timeline, its discovery source names it a replica while the
    /// primary is healthy, or an operator abandoned its timeline. Gets no traffic.
    /// </summary>
    Fenced,

    /// <summary>A standby that follows another timeline than the primary's, and so replays another history.</summary>
    OldTimeline,

    /// <summary>One of several servers out of recovery on the same timeline. The router can't tell which is right, so none gets writes.</summary>
    SplitBrain,

    /// <summary>
    /// A replica that answers probes, but fails many statements that other hosts answer: a missing table file, damaged data, full memory or disk, a migration that is
    /// not replayed yet. It is ejected, unless that would eject more than half of the replicas, and retried after 5 s. Each further ejection lasts twice as long.
    /// </summary>
    Failing,

    /// <summary>A primary with <c>default_transaction_read_only</c> on for the router's role: it serves, but writes that do not turn it off fail (SQLSTATE 25006).</summary>
    ReadOnly,
}
