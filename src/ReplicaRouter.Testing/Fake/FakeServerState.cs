namespace ReplicaRouter.Testing;

/// <summary>The state that a <see cref="FakeServer"/> reports. The default is a primary.</summary>
public sealed record FakeServerState
{
    /// <summary>Whether the server is in recovery. A standby refuses writes with 25006. Default false.</summary>
    public bool IsStandby { get; init; }

    /// <summary>Whether <c>default_transaction_read_only</c> is on. The server then refuses writes with 25006. Default false.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>The cluster's system identifier. All servers of one cluster have the same. The default is the same for all fake servers.</summary>
    public long SystemIdentifier { get; init; } = 7_500_000_000_000_000_001;

    /// <summary>The timeline that a primary writes or a standby receives. 1 or more; default 1.</summary>
    public int Timeline { get; init; } = 1;

    /// <summary>The end of the WAL, in bytes: written by a primary, received by a standby. Only the test moves it; writes do not. Default 0/5000100.</summary>
    public ulong Lsn { get; init; } = 0x500_0100;

    /// <summary>
    /// The replay LSN of a standby, or where the recovery of a primary ended, in bytes. Default null: a standby has replayed everything that it has received, and
    /// a primary has recovered nothing since its start.
    /// </summary>
    public ulong? ReplayLsn { get; init; }

    /// <summary>Whether a standby's WAL receiver runs. Default true.</summary>
    public bool IsReceiving { get; init; } = true;

    /// <summary>When the postmaster started. Default null: when the fake server was started, or restarted by <see cref="FakeServer.Restart"/>.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>The setting <c>synchronous_standby_names</c>. Default empty.</summary>
    public string SynchronousStandbyNames { get; init; } = "";

    /// <summary>The setting <c>max_connections</c>. It is only reported; the server refuses no login because of it. Default 100.</summary>
    public int MaxConnections { get; init; } = 100;

    /// <summary>The version of PostgreSQL. Default 17.5.</summary>
    public string Version { get; init; } = "17.5";

    /// <summary>Returns the state of this standby after a promotion: a primary on the next timeline, which starts at the replay LSN.</summary>
    /// <returns>The promoted state; this state if it is not a standby's.</returns>
    public FakeServerState Promoted() => IsStandby ? this with { IsStandby = false, Timeline = Timeline + 1, Lsn = ReplayLsn ?? Lsn, ReplayLsn = ReplayLsn ?? Lsn } : this;

    /// <summary>Returns the state of a standby of this primary that has received and replayed everything.</summary>
    public FakeServerState Standby() => this with { IsStandby = true, IsReceiving = true, ReplayLsn = null, StartedAt = null };
}
