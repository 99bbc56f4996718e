namespace ReplicaRouter.Sessions;

/// <summary>What one session has written and read, as far as that constrains its next reads. Thread-safe.</summary>
/// <remarks>
/// While it works, the session only notes which host it accessed, and when. Positions are learned when they are needed: when the session reads from another host.
/// A host's answer to a query that was sent after the access shows a position at or after it: on a primary, the end of inserted WAL; on a standby, the end of received
/// WAL, as what replay has just made visible can lie beyond the replayed end that it reports. A position of the primary works as well, as it is beyond everything that
/// any standby shows. Probes give such answers all the time. Reading again on the same host needs no position: what it shows only moves forward unless it crashes, and a
/// connection that was open before and is still alive proves that it did not crash.
/// </remarks>
internal sealed class SessionState(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly List<HostAccess> _uses = [];
    private WalPosition _floor;
    private long _floorSince;
    private HostConfiguration? _home;
    private DateTimeOffset _wroteAt;
    private long? _readOnReplicasUntil;
    private (WalPosition Floor, DateTimeOffset WroteAt) _beganWith;
    private volatile bool _hasNews;
    private volatile bool _hasWritten;
    private volatile bool _hasLostHistory;

    /// <summary>Whether the session has seen or written what a failover lost: the cluster's current history may not hold it.</summary>
    public bool HasLostHistory => _hasLostHistory;

    /// <summary>Whether the session did something, or learned what another one did, since it began.</summary>
    public bool HasNews => _hasNews;

    /// <summary>Whether the session opened a connection that can write.</summary>
    public bool HasWritten => _hasWritten;

    /// <summary>Takes what is known now as what the session began with.</summary>
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
            // What that session read on replicas, it read before the token was issued. The clocks of the two processes can differ.
            NoteReadOnReplica(now - time.Ticks(TimeSpan.Max(time.GetUtcNow() - token.IssuedAt, TimeSpan.Zero)));
            if (!token.Position.IsNone) Raise(token.Position, now);
            else if (!token.IsOpen && token.IssuedAt > _wroteAt) _wroteAt = token.IssuedAt;
            if (!token.IsOpen) return;
            var (cluster, timeline, fork) = (token.Position.SystemIdentifier, token.Position.Timeline, token.Position.Fork);
            _uses.Add(new HostAccess { Host = null, Timeline = timeline, Fork = fork, SystemIdentifier = cluster, Since = now, Until = now });
        }
    }

    /// <summary>Notes that a connection was opened to a host that was chosen on a timeline.</summary>
    /// <returns>The argument for <see cref="End"/>.</returns>
    public HostAccess Begin(HostConfiguration host, int timeline, bool isWrite, long now, ulong fork = 0, bool isOnReplica = false)
    {
        lock (_lock)
        {
            var use = _uses.Find(known => host.IsSameMember(known.Host) && known.Timeline == timeline && known.Fork == fork);
            if (use is null) _uses.Add(use = new HostAccess { Host = host, Timeline = timeline, Fork = fork, Since = now, Until = now });
            use.Open++;
            use.IsWrite |= isWrite;
            use.IsOnReplica |= isOnReplica;
            if (isWrite) _hasWritten = true;
            else _home = host;
            _hasNews = true;
            return use;
        }
    }

    public void End(HostAccess use, long now)
    {
        lock (_lock)
        {
            use.Open--;
            use.Until = now;
            if (use.IsOnReplica) NoteReadOnReplica(now);
        }
    }

    /// <summary>Returns when the session last read something on a replica that the primary may still hide, up to the start of an operation; null for never.</summary>
    public long? ReadOnReplicasUntil(long asOf)
    {
        lock (_lock) return _uses.Exists(use => use is { IsOnReplica: true, Open: > 0 }) && !(_readOnReplicasUntil > asOf) ? asOf : _readOnReplicasUntil;
    }

    /// <summary>Notes that the primary shows everything that replicas showed at a moment.</summary>
    public void Shown(long at)
    {
        lock (_lock) _readOnReplicasUntil = _readOnReplicasUntil <= at ? null : _readOnReplicasUntil;
    }

    public void Wrote(DateTimeOffset wallClock)
    {
        lock (_lock) _wroteAt = wallClock;
    }

    /// <summary>Returns what a replica must show for the session to read over a connection that was opened at a moment and is still alive.</summary>
    /// <returns>The position; null if the connection is not proven to lead to the same run of the server as all of the session's accesses there.</returns>
    public WalPosition? FloorOn(TopologySnapshot topology, HostSnapshot host, long connectedAt)
    {
        lock (_lock)
        {
            foreach (var use in _uses)
            {
                if (!host.Configuration.IsSameMember(use.Host) || connectedAt <= use.Since) continue;
                // A probe's connection that spans both proves it, too.
                if (host.LastAnswered is not { } last || last.Answer!.ConnectedAt > use.Since || last.SentAt < connectedAt) return null;
            }

            return EffectiveFloor(topology);
        }
    }

    /// <summary>Leaves the sticky replica: what the session read there needs a position from now on.</summary>
    public void Release()
    {
        lock (_lock) _home = null;
    }

    /// <summary>Learns what positions it can from a snapshot, and returns what a read requires. Accesses over open connections after the read began need not be covered.</summary>
    public ReadRequirement Demand(TopologySnapshot topology, long asOf)
    {
        lock (_lock)
        {
            var finding = CheckFloor(topology);
            ulong unsettled = 0;
            var isAcrossTimelines = false;
            var home = topology.Find(_home);
            for (var i = _uses.Count - 1; i >= 0; i--)
            {
                var use = _uses[i];
                // Accesses on the sticky replica need no position while the session stays there.
                var isAtHome = home is { Role: HostRole.Replica } && home.Configuration.IsSameMember(use.Host);
                if (!isAtHome && Settle(use, topology, asOf, ref finding)) continue;
                unsettled |= BitOf(use, topology);
                isAcrossTimelines |= use.IsAcross(topology);
            }

            // A position that was just learned from a former primary may not be part of the current history.
            if (finding == SessionFinding.None) finding = CheckFloor(topology);
            _hasLostHistory |= finding == SessionFinding.LostHistory;
            return new ReadRequirement(EffectiveFloor(topology), home?.Configuration.Bit ?? 0, unsettled, isAcrossTimelines, finding) { Timeline = topology.Timeline };
        }
    }

    /// <summary>Returns what the next read requires where positions can't be used.</summary>
    public ReadRequirement Demand(DateTimeOffset now, TimeSpan window)
    {
        lock (_lock) return new ReadRequirement { Affinity = _home?.Bit ?? 0, IsWriteRecent = now - _wroteAt < window || IsWriting };
    }

    /// <summary>Returns what another process needs to continue the session, as far as a snapshot shows it.</summary>
    /// <returns>The token, if there is anything to report, and the hosts to ask in order to complete it, one bit each.</returns>
    public (SessionToken? Token, ulong Unsettled, SessionFinding Finding) Export(TopologySnapshot topology, long asOf, DateTimeOffset now)
    {
        lock (_lock)
        {
            var finding = CheckFloor(topology);
            var (floor, unsettled, isWriting, open) = (_floor, 0UL, false, new WalPosition(topology.SystemIdentifier ?? 0, int.MaxValue, 0));
            foreach (var use in _uses)
            {
                // Its commit may still follow, as when an outbox row holds this token. Only the process that continues can ask for a position beyond it.
                if (use is { IsWrite: true, Open: > 0 })
                {
                    (isWriting, open) = (true, Earliest(open, use));
                }
                else if (LearnedPosition.Of(use, topology, asOf, time) is { } learned)
                {
                    floor = WalPosition.Later(floor, learned.Position);
                    if (learned.IsLost && !_hasLostHistory) finding = SessionFinding.LostHistory;
                }
                else
                {
                    (unsettled, open) = (unsettled | BitOf(use, topology), Earliest(open, use));
                }
            }

            _hasLostHistory |= finding == SessionFinding.LostHistory;
            // A process that has to ask the primary anyway gets a position beyond everything that is known here.
            if (isWriting) unsettled = 0;
            if (isWriting || unsettled != 0) return (new SessionToken(open, now, true), unsettled, finding);
            return (floor.IsNone ? null : new SessionToken(floor, now, false), 0, finding);
        }
    }

    private static WalPosition Earliest(in WalPosition open, HostAccess use) => use.Timeline < open.Timeline ? open with { Timeline = use.Timeline, Fork = use.Fork } : open;

    /// <summary>Does the same where positions can't be used: returns when the session last wrote.</summary>
    public SessionToken? ExportTime(DateTimeOffset now)
    {
        lock (_lock)
        {
            var wroteAt = IsWriting ? now : _wroteAt;
            return wroteAt == default ? null : new SessionToken(default, wroteAt, false);
        }
    }

    private void NoteReadOnReplica(long at) => _readOnReplicasUntil = _readOnReplicasUntil > at ? _readOnReplicasUntil : at;

    private bool IsWriting => _uses.Exists(use => use is { IsWrite: true, Open: > 0 });

    private static ulong BitOf(HostAccess use, TopologySnapshot topology) =>
        topology.Find(use.Host)?.Configuration.Bit ?? topology.Primary?.Configuration.Bit ?? ulong.MaxValue;

    /// <returns>Whether nothing is left to learn about these accesses.</returns>
    private bool Settle(HostAccess use, TopologySnapshot topology, long asOf, ref SessionFinding finding)
    {
        if (use.Open > 0 && use.Since >= asOf && use.Since >= use.Until) return true;
        if (use.SystemIdentifier != 0 && topology.SystemIdentifier is { } cluster && use.SystemIdentifier != cluster)
        {
            finding = SessionFinding.ForeignToken;
            return _uses.Remove(use);
        }

        if (LearnedPosition.Of(use, topology, asOf, time) is not { } learned) return false;
        if (learned.IsLost) finding = SessionFinding.LostHistory;
        (use.Timeline, use.Fork) = (learned.Position.Timeline, learned.Position.Fork);
        Raise(learned.Position, learned.ReceivedAt);
        if (use.Open == 0) return _uses.Remove(use);
        use.Since = learned.SentAt;
        return true;
    }

    /// <param name="position">A position that was reached.</param>
    /// <param name="knownAt">When that was known. Answers of two hosts overlap: one that was requested later can show less.</param>
    private void Raise(in WalPosition position, long knownAt)
    {
        var later = WalPosition.Later(_floor, position);
        if (later != _floor) (_floor, _floorSince) = (later, knownAt);
    }

    /// <summary>Drops a requirement that the cluster can never meet: reads would wait for it until they time out.</summary>
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
        var isReported = isGivenUp || LearnedPosition.IsReportedLost(topology, _floor.Timeline, _floor.Fork);
        (_floor, _floorSince) = (LearnedPosition.PositionOf(topology, last.Answer!), last.ReceivedAt);
        return isReported ? SessionFinding.LostHistory : SessionFinding.None;
    }

    /// <summary>Whether the requirement is part of the current history, or may still prove to be.</summary>
    private bool IsPartOf(TopologySnapshot topology, HostObservation primary)
    {
        if (topology.History.IsOnOtherFork(_floor.Timeline, _floor.Fork)) return false;
        if (_floor.Timeline < topology.Timeline) return topology.History.Contains(_floor);
        // False if the primary never reached it: a crash lost asynchronous commits, or an older backup was restored.
        if (_floor.Timeline == topology.Timeline) return primary.SentAt <= _floorSince || primary.Answer!.InsertLsn >= _floor.Lsn;
        // False if no server is on so new a timeline: the session saw a primary that is no longer part of this cluster.
        return !topology.Hosts.All(host => host.IsServing && host.LastAnswered!.SentAt > _floorSince);
    }

    /// <summary>
    /// Lowers the requirement to the end of flushed WAL. Inserted WAL can end with records that no commit waits for, as of pruning, which an idle
    /// primary does not flush for a long time. It flushes commits, even asynchronous ones, within a known time, so the session needs nothing beyond what is flushed by then.
    /// </summary>
    private void LowerToFlushed(TopologySnapshot topology, HostObservation primary)
    {
        if (_floor.Timeline != topology.Timeline || !(primary.Answer!.FlushLsn < _floor.Lsn) || primary.Answer.InsertLsn < _floor.Lsn) return;
        if (time.GetElapsedTime(_floorSince, primary.SentAt).TotalMilliseconds > primary.Answer.AsyncFlushMs) _floor = _floor with { Lsn = primary.Answer.FlushLsn.Value };
    }

    /// <summary>Returns the requirement. No replica meets one on a former timeline until it is known to be part of the current history, which takes a primary.</summary>
    private WalPosition EffectiveFloor(TopologySnapshot topology)
    {
        if (_floor.IsNone || topology.History.Contains(_floor)) return _floor;
        var isPresent = _floor.Timeline >= topology.Timeline && !topology.History.IsOnOtherFork(_floor.Timeline, _floor.Fork);
        return isPresent ? _floor : _floor with { Lsn = ulong.MaxValue };
    }
}
