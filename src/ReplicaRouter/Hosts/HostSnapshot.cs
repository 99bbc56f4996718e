namespace ReplicaRouter.Hosts;

/// <summary>One host at one moment: configured, observed and overridden, each apart, and what follows from them.</summary>
internal sealed record HostSnapshot
{
    public required HostConfiguration Configuration { get; init; }
    public HostObservation? Last { get; init; }

    /// <summary>The last time the host answered. Kept through failures, for its positions and to tell what changed.</summary>
    public HostObservation? LastAnswered { get; init; }

    /// <summary>Timestamp after which the last answer is no longer believed.</summary>
    public long ExpiresAt { get; init; }

    /// <summary>Timestamp of the last observation by which it did not take writes: it failed, or was in recovery; 0 for never.</summary>
    public long OutAt { get; init; }

    /// <summary>Probes in a row that got no answer in time, or failed for a reason of their own.</summary>
    public int Misses { get; init; }

    public int Observations { get; init; }

    /// <summary>Why nobody can log in, although open connections are served; null when one can.</summary>
    public HostFailure? LoginFailure { get; init; }

    /// <summary>When the newest login was begun whose end is known, as a timestamp.</summary>
    public long LoginAt { get; init; } = long.MinValue;

    public FaultyHost? Faulty { get; init; }
    public Comeback Comeback { get; init; }

    /// <summary>The operator's order.</summary>
    public bool IsDrained { get; init; }

    /// <summary>Where the timeline that it writes as a primary left the former one; null when that was not seen.</summary>
    public ulong? Fork { get; init; }

    /// <summary>What an operator ordered about the host's identity and timeline; null when nothing, or when its answer has changed since.</summary>
    public OperatorRuling? Ruling { get; init; }

    // What follows from the above and from the other hosts; TopologySnapshot derives it.

    public HostState State { get; init; }
    public HostRole Role { get; init; }

    /// <summary>Whether, in the state <see cref="HostState.Failing"/>, it is no member of its groups, rather than their last choice.</summary>
    public bool IsLeftOut { get; init; }

    /// <summary>The name of another host that leads to the same server, and serves in place of this one; null when there is none.</summary>
    public string? TwinOf { get; init; }

    /// <summary>Why the state is what it is, where that isn't plain.</summary>
    public string? Error { get; init; }

    /// <summary>Timestamp of the newest primary position that this replica is proven to have replayed. Every later commit may be missing.</summary>
    public long? FreshAt { get; init; }

    /// <summary>What the size of the fleet adds to the age up to which <see cref="FreshAt"/> counts, in timestamp units.</summary>
    public long Leeway { get; init; }

    /// <summary>The lag that its last answer showed, in timestamp units.</summary>
    public long LagTicks { get; init; }

    public TimeSpan? Lag { get; init; }
    public long? LagBytes { get; init; }

    public string Name => Configuration.Name;
    public HostAnswer? Answer => LastAnswered?.Answer;

    /// <summary>The timeline that its last answer showed; 0 when none did.</summary>
    public int ShownTimeline => Answer?.ReplayTimeline ?? 0;

    /// <summary>The highest timeline that this run of the server was seen on: a server that stops receiving may show a lower one, and never goes back to it.</summary>
    public int ReachedTimeline { get; init; }

    /// <summary>The primary's timeline of which this run of the server has replayed more than the primary wrote; 0 for none.</summary>
    public int DivergedFrom { get; init; }

    /// <summary>Whether an operator ordered that its identity and timeline are right.</summary>
    public bool IsAccepted => Ruling is { IsAccepted: true };

    /// <summary>Whether an operator gave up its timeline.</summary>
    public bool IsRefused => Ruling is { IsAccepted: false };

    /// <summary>Whether it answered when it was asked last.</summary>
    public bool IsAnswering => Last is { Answer: not null };

    /// <summary>Whether a request can be sent there at all, its role and lag aside.</summary>
    public bool IsServing => Serves(State) && (!IsWarmOnly || LastAnswered is not null);

    /// <summary>Whether it is the primary, or one of several servers that may be: it serves, and is out of recovery.</summary>
    public bool MayBePrimary => Role == HostRole.Primary && IsServing;

    /// <summary>Whether only connections that are open already lead there.</summary>
    public bool IsWarmOnly => State is HostState.NoLogins or HostState.Full;

    /// <summary>Whether hosts in a state serve at all.</summary>
    public static bool Serves(HostState state) => state is HostState.Healthy or HostState.Suspect or HostState.Lagging or HostState.LagUnknown or HostState.Recovering
        or HostState.NoLogins or HostState.Full or HostState.Failing or HostState.ReadOnly;

    /// <summary>Whether it is known to be well; that its sessions are read-only by default takes nothing from what it tells.</summary>
    public bool IsWell => State is HostState.Healthy or HostState.ReadOnly;

    /// <summary>Whether work under way there is lost: it hangs, or a probe found it gone, which not every connection learns. That a caller's broke is no proof.</summary>
    public bool IsLost => State == HostState.Hung || (State == HostState.Down && Last is { IsFromCaller: false });

    /// <summary>The state at a moment: an answer that has grown too old says nothing any more.</summary>
    public HostState StateAt(long now) => IsServing && now > ExpiresAt ? HostState.Unknown : State;

    /// <summary>This host and what follows of its lag: itself when nothing does that did not before, as mostly.</summary>
    public HostSnapshot WithLag(long? freshAt, TimeSpan? lag = null, long lagTicks = 0, long? lagBytes = null) =>
        FreshAt == freshAt && Lag == lag && LagTicks == lagTicks && LagBytes == lagBytes ? this : this with { FreshAt = freshAt, Lag = lag, LagTicks = lagTicks, LagBytes = lagBytes };

    /// <summary>Whether the first probes have said what they can: a replica's lag needs the primary's position as well as its own.</summary>
    public bool IsSettled => Observations > 0 && (State != HostState.LagUnknown || Observations >= 5);
}
