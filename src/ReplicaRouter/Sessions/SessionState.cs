namespace ReplicaRouter;

/// <summary>What one session has written and read, as far as that binds its next reads. Thread-safe.</summary>
/// <remarks>
/// <para>
/// While it works the session only notes on which host it did something, and when: that costs nothing. Positions are learnt when they
/// are needed, which is when it reads from another host. An answer of that host that was sent after the deed shows a position at or
/// after it: on a primary the end of inserted WAL; on a standby the end of received WAL, since what replay has just made visible may lie
/// beyond the replayed end that it reports. A position of the primary serves as well, for it is beyond all that any standby shows.
/// Probes give such answers all the time, so that mostly there is nothing to wait for.
/// </para>
/// <para>
/// Reading again on the same host needs no position: what it shows only goes forward, as long as it does not crash, and a connection
/// that was there before and is alive proves that it did not.
/// </para>
/// </remarks>
internal sealed class SessionState
{
    /// <summary>A deed whose host is not known, since another process did it.</summary>
    private const int Elsewhere = -1;

    private readonly Lock _lock = new();
    private readonly List<Use> _uses = [];
    private WalPosition _floor;
    private long _floorSince;
    private ulong _affinity;
    private DateTimeOffset _wroteAt;
    private TimeSpan? _writeTook;
    private bool _hasLostHistory;

    /// <summary>Whether the session has seen or written what the cluster's present history may not hold: a failover lost it.</summary>
    public bool HasLostHistory
    {
        get
        {
            lock (_lock) return _hasLostHistory;
        }
    }

    /// <summary>Takes over what another process's session has seen.</summary>
    public void Merge(in SessionToken token, long now)
    {
        lock (_lock)
        {
            Raise(token.Position, now);
            if (token.IsOpen) Find(Elsewhere, token.Position.Timeline, now).Until = now;
            if (token.Position.IsNone && token.IssuedAt > _wroteAt) _wroteAt = token.IssuedAt;
        }
    }

    /// <summary>Notes that a connection was opened on a host.</summary>
    public void Begin(HostConfiguration host, int timeline, bool isWrite, long now)
    {
        lock (_lock)
        {
            ref var use = ref Find(host.Index, timeline, now);
            use.Open++;
            use.IsWrite |= isWrite;
            _affinity = isWrite ? _affinity : host.Bit;
        }
    }

    /// <summary>Notes that a connection was closed.</summary>
    public void End(HostConfiguration host, int timeline, long now)
    {
        lock (_lock)
        {
            ref var use = ref Find(host.Index, timeline, now);
            use.Open = Math.Max(0, use.Open - 1);
            use.Until = now;
        }
    }

    /// <summary>Notes that a write has ended.</summary>
    public void Wrote(DateTimeOffset wallClock, TimeSpan duration)
    {
        lock (_lock) (_wroteAt, _writeTook) = (wallClock, duration);
    }

    /// <summary>Whether a connection is proven to lead to the same run of the server as all that the session did there.</summary>
    /// <param name="host">The server.</param>
    /// <param name="connectedAt">When the connection was opened; it is alive.</param>
    public bool Continues(HostSnapshot host, long connectedAt)
    {
        lock (_lock)
        {
            foreach (ref var use in Uses)
            {
                if (use.Host != host.Configuration.Index || connectedAt <= use.Since) continue;
                // A connection of the probe that spans both proves it, too.
                if (host.LastAnswered is not { } last || last.Answer!.ConnectedAt > use.Since || last.SentAt < connectedAt) return false;
            }

            return true;
        }
    }

    /// <summary>Gives up the replica that the session kept to: what it read there needs a position from now on.</summary>
    public void Release()
    {
        lock (_lock) _affinity = 0;
    }

    /// <summary>Learns what positions it can from a snapshot, and tells what the next read needs.</summary>
    /// <param name="topology">The snapshot.</param>
    /// <param name="asOf">Timestamp of the read's start. What connections that are still open do after it need not be seen.</param>
    public SessionDemand Demand(TopologySnapshot topology, long asOf)
    {
        lock (_lock)
        {
            var finding = CheckFloor(topology);
            ulong unsettled = 0;
            var isAcrossTimelines = false;
            for (var i = _uses.Count - 1; i >= 0; i--)
            {
                if (!IsAtHome(_uses[i], topology) && Settle(i, topology, asOf, ref finding)) continue;
                unsettled |= BitOf(_uses[i], topology);
                isAcrossTimelines |= IsAcross(_uses[i], topology.Primary?.Answer);
            }

            _hasLostHistory |= finding == SessionFinding.LostHistory;
            return new SessionDemand(EffectiveFloor(topology), _affinity, unsettled, isAcrossTimelines, finding) { WriteTook = _writeTook };
        }
    }

    /// <summary>What the next read needs where positions can't be used.</summary>
    public SessionDemand Demand(DateTimeOffset now, TimeSpan window)
    {
        lock (_lock) return new SessionDemand { Affinity = _affinity, IsWriteRecent = now - _wroteAt < window || _uses.Exists(use => use is { IsWrite: true, Open: > 0 }) };
    }

    /// <summary>What another process needs in order to go on, as far as a snapshot shows it.</summary>
    /// <returns>The token, if there is anything to tell, and the hosts that have to be asked to make it complete, one bit each.</returns>
    public (SessionToken? Token, ulong Unsettled, SessionFinding Finding) Export(TopologySnapshot topology, long asOf, DateTimeOffset now)
    {
        lock (_lock)
        {
            var (floor, unsettled, timeline, finding) = (_floor, 0UL, 0, SessionFinding.None);
            foreach (ref var use in Uses)
            {
                if (Learn(use, topology, asOf) is not { } learnt)
                {
                    (unsettled, timeline) = (unsettled | BitOf(use, topology), use.Timeline);
                    continue;
                }

                floor = WalPosition.Later(floor, learnt.Position);
                if (!learnt.IsGuess || _hasLostHistory) continue;
                (finding, _hasLostHistory) = (SessionFinding.LostHistory, true);
            }

            if (floor.IsNone) floor = new WalPosition(0, timeline, 0);
            return (floor.IsNone && unsettled == 0 ? null : new SessionToken(floor, now, unsettled != 0), unsettled, finding);
        }
    }

    /// <summary>The same where positions can't be used: when the session last wrote.</summary>
    public SessionToken? ExportTime()
    {
        lock (_lock) return _wroteAt == default ? null : new SessionToken(default, _wroteAt, false);
    }

    private Span<Use> Uses => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_uses);

    private ref Use Find(int host, int timeline, long now)
    {
        foreach (ref var use in Uses)
        {
            if (use.Host == host && use.Timeline == timeline) return ref use;
        }

        _uses.Add(new Use { Host = host, Timeline = timeline, Since = now, Until = now });
        return ref Uses[^1];
    }

    /// <summary>Whether it was done on the replica that the session keeps to: as long as it does, no position is needed.</summary>
    private bool IsAtHome(in Use use, TopologySnapshot topology) =>
        use.Host != Elsewhere && (_affinity & (1UL << use.Host)) != 0 && topology.Hosts[use.Host].Role == HostRole.Replica;

    private static bool IsAcross(in Use use, HostAnswer? primary) => use.Timeline != 0 && use.Timeline != primary?.Timeline;

    private static ulong BitOf(in Use use, TopologySnapshot topology) =>
        use.Host == Elsewhere ? topology.Primary?.Configuration.Bit ?? ulong.MaxValue : 1UL << use.Host;

    /// <returns>Whether nothing is left to be learnt of what was done there.</returns>
    private bool Settle(int index, TopologySnapshot topology, long asOf, ref SessionFinding finding)
    {
        ref var use = ref Uses[index];
        if (use.Open > 0 && use.Since >= asOf && use.Since >= use.Until) return true;
        if (Learn(use, topology, asOf) is not { } learnt) return false;
        if (learnt.IsGuess) finding = SessionFinding.LostHistory;
        Raise(learnt.Position, learnt.SentAt);
        if (use.Open == 0) _uses.RemoveAt(index);
        else use.Since = learnt.SentAt;
        return true;
    }

    /// <summary>A position at or after everything that was done there, if the snapshot shows one.</summary>
    private static Lesson? Learn(in Use use, TopologySnapshot topology, long asOf)
    {
        // What an open connection did until the read began must be seen; an answer since then has shown it.
        var until = use.Open > 0 ? Math.Max(use.Until, asOf) : use.Until;
        if (use.Host != Elsewhere && ShownBy(topology, topology.Hosts[use.Host], use.Since, until) is { } shown) return shown;
        if (topology.Primary is not { LastAnswered: { } last } || last.SentAt < until) return null;
        // On a newer timeline the primary's position says nothing of what the old one did last.
        return new Lesson(PositionOf(topology, last), last.SentAt, IsAcross(use, last.Answer));
    }

    /// <summary>A position at or after everything that could be seen on a host in a span of time.</summary>
    private static Lesson? ShownBy(TopologySnapshot topology, HostSnapshot host, long since, long until)
    {
        if (!host.IsServing || host.LastAnswered is not { } last || last.SentAt < until || last.Answer!.ConnectedAt > since) return null;
        var answer = last.Answer;
        if (ReferenceEquals(host, topology.Primary)) return new Lesson(PositionOf(topology, last), last.SentAt, false);
        // Behind its own replay, the received position is no longer kept: the WAL comes from an archive.
        return answer.ReplayTimeline == topology.Timeline && answer.ReceiveLsn is { } received && received >= answer.ReplayLsn
            ? new Lesson(new WalPosition(answer.SystemIdentifier, topology.Timeline, received), last.SentAt, false)
            : null;
    }

    private static WalPosition PositionOf(TopologySnapshot topology, HostObservation primary) =>
        new(primary.Answer!.SystemIdentifier, topology.Timeline, primary.Answer.InsertLsn ?? 0);

    private void Raise(in WalPosition position, long now)
    {
        var later = WalPosition.Later(_floor, position);
        if (later != _floor) (_floor, _floorSince) = (later, now);
    }

    /// <summary>Gives up a floor that the cluster can't ever reach, for reads would wait for it in vain.</summary>
    private SessionFinding CheckFloor(TopologySnapshot topology)
    {
        if (_floor.IsNone || topology.SystemIdentifier is not { } cluster) return SessionFinding.None;
        if (_floor.SystemIdentifier != cluster)
        {
            _floor = default;
            return SessionFinding.ForeignToken;
        }

        if (topology.Primary is not { LastAnswered: { } last }) return SessionFinding.None;
        var isLost = _floor.Timeline < topology.Timeline
            ? !topology.History.Contains(_floor.Timeline, _floor.Lsn)
            : _floor.Timeline == topology.Timeline
                // The primary has never been there: a crash lost asynchronous commits, or an older backup was restored.
                ? last.SentAt > _floorSince && last.Answer!.InsertLsn < _floor.Lsn
                // A newer timeline than any server's: whoever saw it saw a primary that is no longer part of this cluster.
                : topology.Hosts.All(host => host.IsServing && host.LastAnswered!.SentAt > _floorSince);
        if (!isLost) return SessionFinding.None;
        (_floor, _floorSince) = (PositionOf(topology, last), last.SentAt);
        return SessionFinding.LostHistory;
    }

    /// <summary>Without a primary it can't be told whether a former timeline's position is part of the present history: no replica is proven to show it.</summary>
    private WalPosition EffectiveFloor(TopologySnapshot topology) =>
        _floor.IsNone || _floor.Timeline >= topology.Timeline || topology.History.Contains(_floor.Timeline, _floor.Lsn) ? _floor : _floor with { Lsn = ulong.MaxValue };

    /// <summary>What was done on one host and is not covered by the floor yet.</summary>
    private struct Use
    {
        public int Host;
        public int Timeline;

        /// <summary>Timestamp of the first deed.</summary>
        public long Since;

        /// <summary>Timestamp of the last one; as long as connections are open there may be more.</summary>
        public long Until;

        /// <summary>Open connections.</summary>
        public int Open;

        public bool IsWrite;
    }

    /// <summary>What an answer taught.</summary>
    /// <param name="Position">A position at or after everything that was done.</param>
    /// <param name="SentAt">Timestamp of the answer.</param>
    /// <param name="IsGuess">Whether a failover may have lost some of it.</param>
    private readonly record struct Lesson(WalPosition Position, long SentAt, bool IsGuess);
}
