namespace ReplicaRouter.Wal;

/// <summary>
/// One fact about one host: what it answered to a probe, or how it failed a probe or a caller. What it reports is at least as new as the timestamp before the probe was sent.
/// </summary>
internal sealed record HostObservation(int HostIndex, long SentAt, long ReceivedAt, HostAnswer? Answer, HostFailure? Failure)
{
    /// <summary>Whether a caller met it, and no probe has confirmed it.</summary>
    public bool IsFromCaller { get; init; }
}

/// <summary>What a host says of itself.</summary>
internal sealed record HostAnswer
{
    public bool IsInRecovery { get; init; }

    /// <summary>The cluster's identity, which <c>initdb</c> chose and every standby shares.</summary>
    public ulong SystemIdentifier { get; init; }

    /// <summary>The timeline that a primary writes, or a standby receives; null without a live WAL receiver, or where it is hidden (<see cref="IsTimelineHidden"/>).</summary>
    public int? Timeline { get; init; }

    /// <summary>The timeline that a primary writes, or that a standby's replay is proven to have reached, if only from its control file.</summary>
    public int? ReplayTimeline { get; init; }

    /// <summary>Whether a WAL receiver runs whose timeline our role may not see (it needs <c>pg_read_all_stats</c>).</summary>
    public bool IsTimelineHidden { get; init; }

    /// <summary>On a primary, the end of WAL that was inserted: at or after every acknowledged commit, also asynchronous ones.</summary>
    public ulong? InsertLsn { get; init; }

    /// <summary>On a primary, the end of WAL that is on its disk, and so on its way to the standbys.</summary>
    public ulong? FlushLsn { get; init; }

    /// <summary>On a primary, whether commits are acknowledged only once a synchronous standby has them, as far as our role's settings say.</summary>
    public bool HasSynchronousStandbys { get; init; }

    /// <summary>Milliseconds within which the server flushes an asynchronous commit: three times its wal_writer_delay.</summary>
    /// <remarks>Source: PostgreSQL manual, "Asynchronous Commit".</remarks>
    public double AsyncFlushMs { get; init; }

    /// <summary>Whether there are synchronous standbys, so that a primary may hide a commit that other standbys show, whatever most sessions' <c>synchronous_commit</c> is.</summary>
    public bool MayAwaitStandbys { get; init; }

    /// <summary>On a standby, the end of WAL that was replayed; on a primary that was promoted, where its recovery ended.</summary>
    public ulong? ReplayLsn { get; init; }

    /// <summary>On a standby, the end of WAL that was received; null when it never streamed.</summary>
    public ulong? ReceiveLsn { get; init; }

    /// <summary>When the postmaster started, in microseconds since 2000: with the port, it tells one server from another of its cluster.</summary>
    public long StartedAt { get; init; }

    /// <summary>The port on which the server itself listens, whatever stands in between.</summary>
    public int ServerPort { get; init; }

    /// <summary>On a primary whose sessions are read-only by default for our role, where that is set, as <c>pg_settings.source</c> names it; else null.</summary>
    public string? ReadOnlyBy { get; init; }

    /// <summary>Routers that probe the server, this one among them.</summary>
    public int Probers { get; init; } = 1;

    /// <summary>Connections that the server takes from everybody together; 0 where it was not asked.</summary>
    public int MaxConnections { get; init; }

    /// <summary>The highest OID of a type: as long as it stays, no type was created.</summary>
    public long NewestType { get; init; }

    /// <summary>A number that differs where the database's types do; null where they were not asked for.</summary>
    public long? Types { get; init; }

    /// <summary>Bytes of a WAL segment.</summary>
    public uint WalSegmentSize { get; init; }

    /// <summary>Bytes of a WAL page.</summary>
    public uint WalBlockSize { get; init; }

    /// <summary>Timestamp at which the connection over which it answered was open already: since then the server has neither crashed nor restarted.</summary>
    public long ConnectedAt { get; init; }

    /// <summary>Which server it is, whatever name led to it.</summary>
    public (ulong Cluster, long StartedAt, int Port) Server => (SystemIdentifier, StartedAt, ServerPort);
}

/// <summary>How a host failed: what that means for it, and in words, for people, which never hold a password.</summary>
internal sealed record HostFailure(FailureKind Kind, string Message);

/// <summary>What a failure means for the host that it came from.</summary>
internal enum FailureKind
{
    /// <summary>No failure of the host: the query's or the caller's own.</summary>
    None,

    /// <summary>Nobody listens, or the connection broke: the server is gone, or this connection was.</summary>
    Unreachable,

    /// <summary>No answer in time: hung, overloaded or out of reach.</summary>
    Timeout,

    /// <summary>No answer to two questions in a row, one of them by a new login.</summary>
    Hung,

    /// <summary>Starting up, shutting down or recovering.</summary>
    Restarting,

    /// <summary>No connection slot is left: saturated, not dead.</summary>
    Full,

    /// <summary>The connection was terminated by an administrator, or with its server.</summary>
    Terminated,

    /// <summary>A standby cancelled the query because it was in the way of replay.</summary>
    RecoveryConflict,

    /// <summary>A write met a read-only server: what we took for the primary is none, or a write used a read-only route.</summary>
    ReadOnly,

    /// <summary>Wrong credentials, database or TLS settings: the configuration must change.</summary>
    Misconfigured,

    /// <summary>Our own password provider gave none, so that nobody new can log in.</summary>
    NoPassword,

    /// <summary>The host's name does not resolve: misspelt, or withdrawn while the server is down.</summary>
    NameUnknown,
}
