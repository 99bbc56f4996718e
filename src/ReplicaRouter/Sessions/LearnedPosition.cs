namespace ReplicaRouter.Sessions;

/// <summary>A learned position: what a host's answer shows about a session's accesses.</summary>
/// <param name="Position">A position at or after all of the accesses.</param>
/// <param name="SentAt">Timestamp before the query: accesses up to then lie before the position.</param>
/// <param name="ReceivedAt">Timestamp of the answer: the position was reached by then.</param>
/// <param name="IsLost">Whether a failover lost some of the accesses, as far as is known.</param>
internal readonly record struct LearnedPosition(WalPosition Position, long SentAt, long ReceivedAt, bool IsLost)
{
    /// <summary>Returns a position at or after all of the accesses, if a snapshot shows one. Accesses over open connections after a read began need not be covered.</summary>
    public static LearnedPosition? Of(HostAccess use, TopologySnapshot topology, long asOf, TimeProvider time)
    {
        // What an open connection did until the read began must be covered. An answer from after that covers it.
        var until = use.Open > 0 ? Math.Max(use.Until, asOf) : use.Until;
        if (topology.Find(use.Host) is { LastAnswered: { Answer: { } answer } own } host && own.SentAt >= until && answer.ConnectedAt <= use.Since)
        {
            var shown = host.IsServing ? ShownBy(topology, host, answer, use) : ShownBefore(topology, answer, use, time.GetElapsedTime(until, own.SentAt));
            if (shown is { } position) return new LearnedPosition(position, own.SentAt, own.ReceivedAt, false);
        }

        if (topology.Primary is not { LastAnswered: { } last } || last.SentAt < until) return null;
        return new LearnedPosition(PositionOf(topology, last.Answer!), last.SentAt, last.ReceivedAt,
            use.Since < topology.GivenUp.IdentitySince || (use.IsAcross(topology) && IsReportedLost(topology, use.Timeline, use.Fork)));
    }

    /// <summary>Returns a position at or after everything that could be seen on a serving host.</summary>
    private static WalPosition? ShownBy(TopologySnapshot topology, HostSnapshot host, HostAnswer answer, HostAccess use)
    {
        if (topology.History.IsOnOtherFork(use.Timeline, use.Fork)) return null;
        if (ReferenceEquals(host, topology.Primary)) return PositionOf(topology, answer);
        // A received position behind the replayed one is out of date: the WAL comes from an archive.
        var isKept = answer.ReplayTimeline == topology.Timeline && answer.ReceiveLsn >= answer.ReplayLsn;
        return isKept ? On(topology, answer.SystemIdentifier, answer.ReceiveLsn!.Value) : null;
    }

    /// <summary>Does the same for a host that no longer serves: its last answer holds for what was done until then.</summary>
    private static WalPosition? ShownBefore(TopologySnapshot topology, HostAnswer answer, HostAccess use, TimeSpan before) =>
        answer.SystemIdentifier == topology.SystemIdentifier && answer.ReplayTimeline == use.Timeline && PositionIn(answer, before) is { } lsn
            ? new WalPosition(answer.SystemIdentifier, use.Timeline, lsn) { Fork = use.Fork }
            : null;

    /// <summary>Returns the lowest proven position at or after what a server showed some time before its answer: WAL that a lost primary did not flush is lost with it.</summary>
    private static ulong? PositionIn(HostAnswer answer, TimeSpan before) => answer.IsInRecovery
        ? answer.ReceiveLsn >= answer.ReplayLsn ? answer.ReceiveLsn : null
        : before.TotalMilliseconds > answer.AsyncFlushMs ? answer.FlushLsn : answer.InsertLsn;

    /// <summary>Returns the end of a primary's inserted WAL when it answered.</summary>
    public static WalPosition PositionOf(TopologySnapshot topology, HostAnswer primary) => On(topology, primary.SystemIdentifier, primary.InsertLsn ?? 0);

    private static WalPosition On(TopologySnapshot topology, ulong systemIdentifier, ulong lsn) =>
        new(systemIdentifier, topology.Timeline, lsn) { Fork = topology.History.ForkOf(topology.Timeline) };

    /// <summary>
    /// Whether a position that is not known to be part of the current history is reported as lost. The access itself can lie well before the position. Where commits
    /// wait for a synchronous standby, the WAL beyond the fork holds no acknowledged commit, so leaving it behind proves no loss.
    /// </summary>
    public static bool IsReportedLost(TopologySnapshot topology, int timeline, ulong fork) =>
        timeline >= topology.Timeline || topology.History.IsOnOtherFork(timeline, fork) || !topology.History.IsSynchronous(timeline, topology.Primary!.Answer!);
}
