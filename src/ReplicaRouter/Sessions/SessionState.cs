namespace ReplicaRouter.Sessions;

/// <summary>What one session has written and read, as far as that binds its next reads. Thread-safe.</summary>
/// <remarks>
/// While it works the session only notes on which host it did something, and when. Positions are learnt when they are needed: when it reads from another host. An answer of a host
/// that was sent after the operation shows a position at or after it: on a primary the end of inserted WAL; on a standby the end of received WAL, since what replay has just made
/// visible may lie beyond the replayed end that it reports. A position of the primary serves as well, for it is beyond all that any standby shows. Probes give such answers all the
/// time. Reading again on the same host needs no position: what it shows only goes forward, as long as it does not crash, and a connection that was there before and is alive
/// proves that it did not.
/// </remarks>
internal sealed class SessionState(TimeProvider time)
{
    /// <summary>What is older than this is simply old.</summary>
    private static readonly TimeSpan LongestAge = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly List<SessionUse> _uses = [];
    private WalPosition _floor;
    private long _floorSince;
    private HostConfiguration? _home;
    private DateTimeOffset _wroteAt;
    private long? _readOnReplicasUntil;
    private (WalPosition Floor, DateTimeOffset WroteAt) _beganWith;
    private volatile bool _hasNews;
    private volatile bool _hasWritten;
    private volatile bool _hasLostHistory;

    /// <summary>Whether the session has seen or written what the cluster's present history may not hold: a failover lost it.</summary>
    public bool HasLostHistory => _hasLostHistory;

    /// <summary>Whether the session did something, or learnt what another one did, since it began.</summary>
    public bool HasNews => _hasNews;

    /// <summary>Whether a connection that may write was opened in the session.</summary>
    public bool HasWritten => _hasWritten;

    /// <summary>What is known now is what the session began with.</summary>
    public void ForgetNews()
    {
        lock (_lock) _beganWith = (_floor, _wroteAt);
        _hasNews = false;
    }

    /// <summary>Whether a token of the session says no more than what it began with.</summary>
    public bool BeganWith(in SessionToken token)
    {
        lock (_lock)
        {
            if (token.IsOpen || _hasLostHistory) return false;
            return token.Position.IsNone ? token.IssuedAt == _beganWith.WroteAt : WalPosition.Later(_beganWith.Floor, token.Position) == _beganWith.Floor;
        }
    }

    /// <summary>Takes over what another process's session has seen.</summary>
    public void Merge(in SessionToken token, long now)
    {
        lock (_lock)
        {
            _hasNews = true;
            // What its session has read on replicas, it had read when the token was made.
            NoteReadOnReplica(now - time.Ticks(AgeOf(token)));
            if (!token.Position.IsNone) Raise(token.Position, now);
            else if (!token.IsOpen && token.IssuedAt > _wroteAt) _wroteAt = token.IssuedAt;
            if (!token.IsOpen) return;
            var (cluster, timeline, fork) = (token.Position.SystemIdentifier, token.Position.Timeline, token.Position.Fork);
            _uses.Add(new SessionUse { Host = null, Timeline = timeline, Fork = fork, SystemIdentifier = cluster, Since = now, Until = now });
        }
    }

    /// <summary>Notes that a connection was opened on a host that was chosen on a timeline.</summary>
    /// <returns>To be handed to <see cref="End"/>.</returns>
    public SessionUse Begin(HostConfiguration host, int timeline, bool isWrite, long now, ulong fork = 0, bool isOnReplica = false)
    {
        lock (_lock)
        {
            var use = _uses.Find(known => host.IsSameMember(known.Host) && known.Timeline == timeline && known.Fork == fork);
            if (use is null) _uses.Add(use = new SessionUse { Host = host, Timeline = timeline, Fork = fork, Since = now, Until = now });
            use.Open++;
            use.IsWrite |= isWrite;
            use.IsOnReplica |= isOnReplica;
            if (isWrite) _hasWritten = true;
            else _home = host;
            _hasNews = true;
            return use;
        }
    }

    /// <summary>Notes that a connection was closed.</summary>
    public void End(SessionUse use, long now)
    {
        lock (_lock)
        {
            use.Open--;
            use.Until = now;
            if (use.IsOnReplica) NoteReadOnReplica(now);
        }
    }

    /// <summary>When the session last read on a replica, until an operation began, what the primary may still hide; null when it has not.</summary>
    public long? ReadOnReplicasUntil(long asOf)
    {
        lock (_lock) return _uses.Exists(use => use is { IsOnReplica: true, Open: > 0 }) && !(_readOnReplicasUntil > asOf) ? asOf : _readOnReplicasUntil;
    }

    /// <summary>Notes that the primary shows all that replicas showed at a moment.</summary>
    public void Shown(long at)
    {
        lock (_lock) _readOnReplicasUntil = _readOnReplicasUntil <= at ? null : _readOnReplicasUntil;
    }

    /// <summary>Notes that a write has ended.</summary>
    public void Wrote(DateTimeOffset wallClock)
    {
        lock (_lock) _wroteAt = wallClock;
    }

    /// <summary>What a connection to a replica, which was opened at a moment and is alive, has to show for the session to read on it.</summary>
    /// <returns>The position; null when the connection is not proven to lead to the same run of the server as all that the session did there.</returns>
    public WalPosition? FloorOn(TopologySnapshot topology, HostSnapshot host, long connectedAt)
    {
        lock (_lock)
        {
            foreach (var use in _uses)
            {
                if (!host.Configuration.IsSameMember(use.Host) || connectedAt <= use.Since) continue;
                // A connection of the probe that spans both proves it, too.
                if (host.LastAnswered is not { } last || last.Answer!.ConnectedAt > use.Since || last.SentAt < connectedAt) return null;
            }

            return EffectiveFloor(topology);
        }
    }

    /// <summary>Gives up the replica that the session kept to: what it read there needs a position from now on.</summary>
    public void Release()
    {
        lock (_lock) _home = null;
    }

    /// <summary>Learns what positions it can from a snapshot, and tells what a read needs. What open connections do after the read began need not be seen.</summary>
    public SessionDemand Demand(TopologySnapshot topology, long asOf)
    {
        lock (_lock)
        {
            var finding = CheckFloor(topology);
            ulong unsettled = 0;
            var isAcrossTimelines = false;
            for (var i = _uses.Count - 1; i >= 0; i--)
            {
                var use = _uses[i];
                if (!IsAtHome(use, topology) && Settle(use, topology, asOf, ref finding)) continue;
                unsettled |= BitOf(use, topology);
                isAcrossTimelines |= use.IsAcross(topology);
            }

            // What a former primary had shown of it may not be part of the present history.
            if (finding == SessionFinding.None) finding = CheckFloor(topology);
            _hasLostHistory |= finding == SessionFinding.LostHistory;
            return new SessionDemand(EffectiveFloor(topology), topology.Find(_home)?.Configuration.Bit ?? 0, unsettled, isAcrossTimelines, finding) { Timeline = topology.Timeline };
        }
    }

    /// <summary>What the next read needs where positions can't be used.</summary>
    public SessionDemand Demand(DateTimeOffset now, TimeSpan window)
    {
        lock (_lock) return new SessionDemand { Affinity = _home?.Bit ?? 0, IsWriteRecent = now - _wroteAt < window || IsWriting };
    }

    /// <summary>What another process needs in order to go on, as far as a snapshot shows it.</summary>
    /// <returns>The token, if there is anything to tell, and the hosts that have to be asked to make it complete, one bit each.</returns>
    public (SessionToken? Token, ulong Unsettled, SessionFinding Finding) Export(TopologySnapshot topology, long asOf, DateTimeOffset now)
    {
        lock (_lock)
        {
            var finding = CheckFloor(topology);
            var (floor, unsettled, isWriting, open) = (_floor, 0UL, false, new WalPosition(topology.SystemIdentifier ?? 0, int.MaxValue, 0));
            foreach (var use in _uses)
            {
                // Its commit may follow, as that of an outbox which holds this token: only whoever goes on can ask for a position beyond it.
                if (use is { IsWrite: true, Open: > 0 })
                {
                    (isWriting, open) = (true, Earliest(open, use));
                }
                else if (SessionLesson.Of(use, topology, asOf, time) is { } learnt)
                {
                    floor = WalPosition.Later(floor, learnt.Position);
                    if (learnt.IsLost && !_hasLostHistory) finding = SessionFinding.LostHistory;
                }
                else
                {
                    (unsettled, open) = (unsettled | BitOf(use, topology), Earliest(open, use));
                }
            }

            _hasLostHistory |= finding == SessionFinding.LostHistory;
            // Whoever must ask the primary first gets a position beyond all that is known here.
            if (isWriting) unsettled = 0;
            if (isWriting || unsettled != 0) return (new SessionToken(open, now, true), unsettled, finding);
            return (floor.IsNone ? null : new SessionToken(floor, now, false), 0, finding);
        }
    }

    private static WalPosition Earliest(in WalPosition open, SessionUse use) => use.Timeline < open.Timeline ? open with { Timeline = use.Timeline, Fork = use.Fork } : open;

    /// <summary>The same where positions can't be used: when the session last wrote.</summary>
    public SessionToken? ExportTime(DateTimeOffset now)
    {
        lock (_lock)
        {
            var wroteAt = IsWriting ? now : _wroteAt;
            return wroteAt == default ? null : new SessionToken(default, wroteAt, false);
        }
    }

    private void NoteReadOnReplica(long at) => _readOnReplicasUntil = _readOnReplicasUntil > at ? _readOnReplicasUntil : at;

    /// <summary>By the clocks of two processes, which may differ.</summary>
    private TimeSpan AgeOf(in SessionToken token) => TimeSpan.Min(TimeSpan.Max(time.GetUtcNow() - token.IssuedAt, TimeSpan.Zero), LongestAge);

    private bool IsWriting => _uses.Exists(use => use is { IsWrite: true, Open: > 0 });

    /// <summary>Whether it was done on the replica that the session keeps to: as long as it does, no position is needed.</summary>
    private bool IsAtHome(SessionUse use, TopologySnapshot topology) =>
        topology.Find(_home) is { Role: HostRole.Replica } home && home.Configuration.IsSameMember(use.Host);

    private static ulong BitOf(SessionUse use, TopologySnapshot topology) =>
        topology.Find(use.Host)?.Configuration.Bit ?? topology.Primary?.Configuration.Bit ?? ulong.MaxValue;

    /// <returns>Whether nothing is left to be learnt of what was done there.</returns>
    private bool Settle(SessionUse use, TopologySnapshot topology, long asOf, ref SessionFinding finding)
    {
        if (use.Open > 0 && use.Since >= asOf && use.Since >= use.Until) return true;
        if (use.SystemIdentifier != 0 && topology.SystemIdentifier is { } cluster && use.SystemIdentifier != cluster)
        {
            finding = SessionFinding.ForeignToken;
            return _uses.Remove(use);
        }

        if (SessionLesson.Of(use, topology, asOf, time) is not { } learnt) return false;
        if (learnt.IsLost) finding = SessionFinding.LostHistory;
        (use.Timeline, use.Fork) = (learnt.Position.Timeline, learnt.Position.Fork);
        Raise(learnt.Position, learnt.ReceivedAt);
        if (use.Open == 0) return _uses.Remove(use);
        use.Since = learnt.SentAt;
        return true;
    }

    /// <param name="position">A position that was reached.</param>
    /// <param name="knownAt">When that was known. Answers of two hosts overlap: one that was asked for later may show less.</param>
    private void Raise(in WalPosition position, long knownAt)
    {
        var later = WalPosition.Later(_floor, position);
        if (later != _floor) (_floor, _floorSince) = (later, knownAt);
    }

    /// <summary>Gives up a floor that the cluster can't ever reach: reads would wait for it until their time is up.</summary>
    private SessionFinding CheckFloor(TopologySnapshot topology)
    {
        if (_floor.IsNone || topology.SystemIdentifier is not { } cluster) return SessionFinding.None;
        if (_floor.SystemIdentifier != cluster && !topology.GivenUp.Contains(_floor, topology.Timeline))
        {
            _floor = default;
            return SessionFinding.ForeignToken;
        }

        if (topology.Primary is not { LastAnswered: { } last }) return SessionFinding.None;
        LowerToFlushed(topology, last);
        var isGivenUp = topology.GivenUp.Contains(_floor, topology.Timeline);
        if (!isGivenUp && IsPartOf(topology, last)) return SessionFinding.None;
        var isReported = isGivenUp || SessionLesson.IsReportedLost(topology, _floor.Timeline, _floor.Fork);
        (_floor, _floorSince) = (SessionLesson.PositionOf(topology, last.Answer!), last.ReceivedAt);
        return isReported ? SessionFinding.LostHistory : SessionFinding.None;
    }

    /// <summary>Whether the floor is part of the present history, or may yet prove to be.</summary>
    private bool IsPartOf(TopologySnapshot topology, HostObservation primary)
    {
        if (topology.History.IsOnOtherFork(_floor.Timeline, _floor.Fork)) return false;
        if (_floor.Timeline < topology.Timeline) return topology.History.Contains(_floor);
        // The primary has never been there: a crash lost asynchronous commits, or an older backup was restored.
        if (_floor.Timeline == topology.Timeline) return primary.SentAt <= _floorSince || primary.Answer!.InsertLsn >= _floor.Lsn;
        // A newer timeline than any server's: whoever saw it saw a primary that is no longer part of this cluster.
        return !topology.Hosts.All(host => host.IsServing && host.LastAnswered!.SentAt > _floorSince);
    }

    /// <summary>
    /// The end of inserted WAL may lie behind records that nobody waits for, as of pruning: an idle primary keeps them to itself for long. What
    /// was committed, if only asynchronously, it flushes within a known time: nothing of ours can lie beyond what it has flushed by then.
    /// </summary>
    private void LowerToFlushed(TopologySnapshot topology, HostObservation primary)
    {
        if (_floor.Timeline != topology.Timeline || !(primary.Answer!.FlushLsn < _floor.Lsn) || primary.Answer.InsertLsn < _floor.Lsn) return;
        if (time.GetElapsedTime(_floorSince, primary.SentAt).TotalMilliseconds > primary.Answer.AsyncFlushMs) _floor = _floor with { Lsn = primary.Answer.FlushLsn.Value };
    }

    /// <summary>Without a primary it can't be told whether a former timeline's position is part of the present history: no replica is proven to show it.</summary>
    private WalPosition EffectiveFloor(TopologySnapshot topology)
    {
        if (_floor.IsNone || topology.History.Contains(_floor)) return _floor;
        var isPresent = _floor.Timeline >= topology.Timeline && !topology.History.IsOnOtherFork(_floor.Timeline, _floor.Fork);
        return isPresent ? _floor : _floor with { Lsn = ulong.MaxValue };
    }
}
