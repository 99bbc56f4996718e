namespace ReplicaRouter.Wal;

/// <summary>
/// One fact about one host: its answer to a probe, or how it failed a probe or a caller. What it reports is at least as recent as SentAt, the timestamp before the probe.
/// </summary>
internal sealed record HostObservation(int HostIndex, long SentAt, long ReceivedAt, HostAnswer? Answer, HostFailure? Failure)
{
    /// <summary>Whether a caller met the failure, and no probe has confirmed it.</summary>
    public bool IsFromCaller { get; init; }
}

/// <summary>What a host reports about itself.</summary>
internal sealed record HostAnswer
{
    public bool IsInRecovery { get; init; }

    /// <summary>The cluster's identity, which <c>initdb</c> chose and every standby shares.</summary>
    public ulong SystemIdentifier { get; init; }

    /// <summary>The timeline that a primary writes or a standby receives; null without a live WAL receiver, or if hidden (<see cref="IsTimelineHidden"/>).</summary>
    public int? Timeline { get; init; }

    /// <summary>The timeline that a primary writes, or that a standby's replay provably reached, if only by its control file.</summary>
    public int? ReplayTimeline { get; init; }

    /// <summary>Whether a WAL receiver runs whose timeline our role can't see (that needs <c>pg_read_all_stats</c>).</summary>
    public bool IsTimelineHidden { get; init; }

    /// <summary>On a primary, the end of inserted WAL: at or after every acknowledged commit, including asynchronous ones.</summary>
    public ulong? InsertLsn { get; init; }

    /// <summary>On a primary, the end of the WAL on its disk, which is sent to the standbys.</summary>
    public ulong? FlushLsn { get; init; }

    /// <summary>On a primary, whether commits are acknowledged only once a synchronous standby has them, by our own role's settings.</summary>
    public bool HasSynchronousStandbys { get; init; }

    /// <summary>Longest time in ms until the server flushes an asynchronous commit: three times its wal_writer_delay.</summary>
    /// <remarks>Source: PostgreSQL manual, "Asynchronous Commit".</remarks>
    public double AsyncFlushMs { get; init; }

    /// <summary>Whether there are synchronous standbys, so that a primary can hide a commit that other standbys show. Ignores our role's <c>synchronous_commit</c>.</summary>
    public bool MayAwaitStandbys { get; init; }

    /// <summary>On a standby, the end of replayed WAL; on a promoted primary, where its recovery ended.</summary>
    public ulong? ReplayLsn { get; init; }

    /// <summary>On a standby, the end of received WAL; null if it never streamed.</summary>
    public ulong? ReceiveLsn { get; init; }

    /// <summary>Start of the postmaster, in microseconds since 1970. With the port, it distinguishes the servers of a cluster.</summary>
    public long StartedAt { get; init; }

    /// <summary>The port on which the server itself listens, behind any proxy.</summary>
    public int ServerPort { get; init; }

    /// <summary>Where a primary makes our role's sessions read-only by default, as <c>pg_settings.source</c> names it; null if it does not.</summary>
    public string? ReadOnlyBy { get; init; }

    /// <summary>Number of routers that probe the server, including this one.</summary>
    public int Probers { get; init; } = 1;

    /// <summary>The server's max_connections; 0 if not asked for.</summary>
    public int MaxConnections { get; init; }

    /// <summary>The highest OID of a type. While it stays the same, no type was created.</summary>
    public long NewestType { get; init; }

    /// <summary>A hash of the database's types; null if not asked for.</summary>
    public long? Types { get; init; }

    /// <summary>Size of a WAL segment in bytes.</summary>
    public uint WalSegmentSize { get; init; }

    /// <summary>Size of a WAL page in bytes.</summary>
    public uint WalBlockSize { get; init; }

    /// <summary>Timestamp at which the answering connection was already open: since then the server has neither crashed nor restarted.</summary>
    public long ConnectedAt { get; init; }

    /// <summary>The identity of the server itself, which is independent of the name that led to it.</summary>
    public (ulong Cluster, long StartedAt, int Port) Server => (SystemIdentifier, StartedAt, ServerPort);
}

/// <summary>How a host failed: what that means for it, and a message for people, which never holds a password.</summary>
internal sealed record HostFailure(FailureKind Kind, string Message);

/// <summary>What a failure means for the host.</summary>
internal enum FailureKind
{
    /// <summary>Not the host's failure, but the query's or the caller's own.</summary>
    None,

    /// <summary>Nothing listens, or the connection broke: the server is gone, or only this connection.</summary>
    Unreachable,

    /// <summary>No answer in time: hung, overloaded or unreachable.</summary>
    Timeout,

    /// <summary>No answer to two queries in a row, one of them over a new login.</summary>
    Hung,

    /// <summary>Starting up, shutting down or recovering.</summary>
    Restarting,

    /// <summary>No connection slot is left: the server is saturated, not down.</summary>
    Full,

    /// <summary>An administrator terminated the connection, or the server stopped.</summary>
    Terminated,

    /// <summary>A standby cancelled the query because it conflicted with replay.</summary>
    RecoveryConflict,

    /// <summary>A write reached a read-only server: the supposed primary is none, or the write used a read-only route.</summary>
    ReadOnly,

    /// <summary>Wrong credentials, database or TLS settings: the configuration must change.</summary>
    Misconfigured,

    /// <summary>Our own password provider returned none, so new connections can't log in.</summary>
    NoPassword,

    /// <summary>The host's name does not resolve: misspelled, or withdrawn while the server is down.</summary>
    NameUnknown,
}
