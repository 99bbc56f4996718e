namespace ReplicaRouter.Hosts;

/// <summary>One host at one moment: its configuration, its observations and the operator's orders, each kept apart, and the state derived from them.</summary>
internal sealed record HostSnapshot
{
    public required HostConfiguration Configuration { get; init; }
    public HostObservation? Last { get; init; }

    /// <summary>The host's last answer. Kept through failures, for its positions and to detect changes.</summary>
    public HostObservation? LastAnswered { get; init; }

    /// <summary>Timestamp at which the last answer expires.</summary>
    public long ExpiresAt { get; init; }

    /// <summary>Timestamp of the last observation in which it did not take writes, because it failed or was in recovery; 0 for never.</summary>
    public long OutAt { get; init; }

    /// <summary>Consecutive probes that timed out, or failed for a reason of their own.</summary>
    public int Misses { get; init; }

    public int Observations { get; init; }

    /// <summary>Why logins fail although open connections are served; null while logins succeed.</summary>
    public HostFailure? LoginFailure { get; init; }

    /// <summary>Timestamp at which the newest completed login began.</summary>
    public long LoginAt { get; init; } = long.MinValue;

    public FaultyHost? Faulty { get; init; }
    public Probation Probation { get; init; }

    public bool IsDrained { get; init; }

    /// <summary>The position at which the timeline that it writes as a primary branched off the previous one; null if not seen.</summary>
    public ulong? Fork { get; init; }

    /// <summary>The operator's ruling on the host's identity and timeline; null for none, or once the host's answer contradicts it.</summary>
    public OperatorRuling? Ruling { get; init; }

    // TopologySnapshot derives the rest from the above and from the other hosts.

    public HostState State { get; init; }
    public HostRole Role { get; init; }

    /// <summary>Whether a host in the state <see cref="HostState.Failing"/> is ejected from its groups, rather than their last choice.</summary>
    public bool IsLeftOut { get; init; }

    /// <summary>The name of another host that is the same server and serves in place of this duplicate; null for none.</summary>
    public string? DuplicateOf { get; init; }

    /// <summary>The reason for the state, where the state alone does not say it.</summary>
    public string? Error { get; init; }

    /// <summary>Timestamp of the newest primary position that this replica provably replayed. Any later commit may be missing.</summary>
    public long? FreshAt { get; init; }

    /// <summary>Extra age that a large fleet's long probe interval allows <see cref="FreshAt"/>, in timestamp units.</summary>
    public long Leeway { get; init; }

    /// <summary>Replication lag as of the last answer, in timestamp units.</summary>
    public long LagTicks { get; init; }

    public TimeSpan? Lag { get; init; }
    public long? LagBytes { get; init; }

    public string Name => Configuration.Name;
    public HostAnswer? Answer => LastAnswered?.Answer;

    public int ShownTimeline => Answer?.ReplayTimeline ?? 0;

    /// <summary>The highest timeline seen since the server started. A server that stops receiving can report a lower one, but never goes back to it.</summary>
    public int ReachedTimeline { get; init; }

    /// <summary>The primary's timeline on which the server, since it started, replayed more WAL than the primary wrote; 0 for none.</summary>
    public int DivergedFrom { get; init; }

    public bool IsAccepted => Ruling is { IsAccepted: true };

    public bool IsRefused => Ruling is { IsAccepted: false };

    public bool IsAnswering => Last is { Answer: not null };

    /// <summary>Whether requests can be sent there at all, regardless of role and lag.</summary>
    public bool IsServing => Serves(State) && (!IsWarmOnly || LastAnswered is not null);

    /// <summary>Whether it is the primary, or one of several candidates: it serves and is out of recovery.</summary>
    public bool MayBePrimary => Role == HostRole.Primary && IsServing;

    /// <summary>Whether it can be reached only over connections that are already open.</summary>
    public bool IsWarmOnly => State is HostState.NoLogins or HostState.Full;

    public static bool Serves(HostState state) => state is HostState.Healthy or HostState.Suspect or HostState.Lagging or HostState.LagUnknown or HostState.Recovering
        or HostState.NoLogins or HostState.Full or HostState.Failing or HostState.ReadOnly;

    /// <summary>Whether its answers can be relied on. Sessions that are read-only by default do not make the positions less valid.</summary>
    public bool IsWell => State is HostState.Healthy or HostState.ReadOnly;

    /// <summary>Whether work in progress there is lost: the host hangs, or a probe (not just a caller) found it down, which not every connection notices.</summary>
    public bool IsLost => State == HostState.Hung || (State == HostState.Down && Last is { IsFromCaller: false });

    /// <summary>Returns the state at a timestamp: Unknown once the last answer has expired.</summary>
    public HostState StateAt(long now) => IsServing && now > ExpiresAt ? HostState.Unknown : State;

    /// <summary>Returns this host with a lag; the same instance when nothing changes, which is the usual case.</summary>
    public HostSnapshot WithLag(long? freshAt, TimeSpan? lag = null, long lagTicks = 0, long? lagBytes = null) =>
        FreshAt == freshAt && Lag == lag && LagTicks == lagTicks && LagBytes == lagBytes ? this : this with { FreshAt = freshAt, Lag = lag, LagTicks = lagTicks, LagBytes = lagBytes };

    /// <summary>Whether the first probes have shown what they can. A replica's lag needs the primary's position as well as its own.</summary>
    public bool IsSettled => Observations > 0 && (State != HostState.LagUnknown || Observations >= 5);
}
