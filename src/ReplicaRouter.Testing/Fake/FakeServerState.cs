namespace ReplicaRouter.Testing;

/// <summary>What a <see cref="FakeServer"/> says of itself. The default is a primary.</summary>
public sealed record FakeServerState
{
    /// <summary>Whether it is in recovery. A standby refuses writes with 25006. Default false.</summary>
    public bool IsStandby { get; init; }

    /// <summary>Whether <c>default_transaction_read_only</c> is on. Writes are refused with 25006. Default false.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Which cluster it belongs to. Servers of one cluster have the same. Default the same for all fake servers.</summary>
    public long SystemIdentifier { get; init; } = 7_500_000_000_000_000_001;

    /// <summary>The timeline that it writes, or that its standby receives. 1 or more, default 1.</summary>
    public int Timeline { get; init; } = 1;

    /// <summary>Where its WAL ends, in bytes: written by a primary, received by a standby. It stays where the test puts it: writes do not move it. Default 0/5000100.</summary>
    public ulong Lsn { get; init; } = 0x500_0100;

    /// <summary>
    /// How far a standby has replayed, in bytes, and where the recovery of a primary ended. Default null: a standby has replayed all that it has received, and a primary
    /// has recovered nothing since its start.
    /// </summary>
    public ulong? ReplayLsn { get; init; }

    /// <summary>Whether a standby's WAL receiver runs. Default true.</summary>
    public bool IsReceiving { get; init; } = true;

    /// <summary>When its postmaster started. Default null: when the fake server was started, or restarted by <see cref="FakeServer.Restart"/>.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>The setting <c>synchronous_standby_names</c>. Default empty.</summary>
    public string SynchronousStandbyNames { get; init; } = "";

    /// <summary>The setting <c>max_connections</c>. It is only shown: no login is refused for it. Default 100.</summary>
    public int MaxConnections { get; init; } = 100;

    /// <summary>The version. Default 17.5.</summary>
    public string Version { get; init; } = "17.5";

    /// <summary>What a standby becomes by a promotion: a primary on the next timeline, which begins where it has replayed to.</summary>
    /// <returns>This state if it is no standby's.</returns>
    public FakeServerState Promoted() => IsStandby ? this with { IsStandby = false, Timeline = Timeline + 1, Lsn = ReplayLsn ?? Lsn, ReplayLsn = ReplayLsn ?? Lsn } : this;

    /// <summary>A standby of a primary in this state that has received and replayed everything.</summary>
    public FakeServerState Standby() => this with { IsStandby = true, IsReceiving = true, ReplayLsn = null, StartedAt = null };
}
