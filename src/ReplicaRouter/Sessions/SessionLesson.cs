namespace ReplicaRouter.Sessions;

/// <summary>What an answer of a host tells of what a session did.</summary>
/// <param name="Position">A position at or after everything that was done.</param>
/// <param name="SentAt">Timestamp before the question: what was done until then lies before the position.</param>
/// <param name="ReceivedAt">Timestamp of the answer: the position was reached by then.</param>
/// <param name="IsLost">Whether a failover lost some of what was done, as far as can be told.</param>
internal readonly record struct SessionLesson(WalPosition Position, long SentAt, long ReceivedAt, bool IsLost)
{
    /// <summary>A position at or after everything that was done there, if a snapshot shows one. What open connections do after a read began need not be seen.</summary>
    public static SessionLesson? Of(SessionUse use, TopologySnapshot topology, long asOf, TimeProvider time)
    {
        // What an open connection did until the read began must be seen; an answer since then has shown it.
        var until = use.Open > 0 ? Math.Max(use.Until, asOf) : use.Until;
        if (topology.Find(use.Host) is { LastAnswered: { Answer: { } answer } own } host && own.SentAt >= until && answer.ConnectedAt <= use.Since)
        {
            var shown = host.IsServing ? ShownBy(topology, host, answer, use) : ShownBefore(topology, answer, use, time.GetElapsedTime(until, own.SentAt));
            if (shown is { } position) return new SessionLesson(position, own.SentAt, own.ReceivedAt, false);
        }

        if (topology.Primary is not { LastAnswered: { } last } || last.SentAt < until) return null;
        return new SessionLesson(PositionOf(topology, last.Answer!), last.SentAt, last.ReceivedAt,
            use.Since < topology.GivenUp.IdentitySince || (use.IsAcross(topology) && IsReportedLost(topology, use.Timeline, use.Fork)));
    }

    /// <summary>A position at or after everything that could be seen on a host.</summary>
    private static WalPosition? ShownBy(TopologySnapshot topology, HostSnapshot host, HostAnswer answer, SessionUse use)
    {
        if (topology.History.IsOnOtherFork(use.Timeline, use.Fork)) return null;
        if (ReferenceEquals(host, topology.Primary)) return PositionOf(topology, answer);
        // Behind its own replay, the received position is no longer kept: the WAL comes from an archive.
        var isKept = answer.ReplayTimeline == topology.Timeline && answer.ReceiveLsn >= answer.ReplayLsn;
        return isKept ? On(topology, answer.SystemIdentifier, answer.ReceiveLsn!.Value) : null;
    }

    /// <summary>The same of a host that serves no more: what it answered before it was lost holds for what was done until then.</summary>
    private static WalPosition? ShownBefore(TopologySnapshot topology, HostAnswer answer, SessionUse use, TimeSpan before) =>
        answer.SystemIdentifier == topology.SystemIdentifier && answer.ReplayTimeline == use.Timeline && PositionIn(answer, before) is { } lsn
            ? new WalPosition(answer.SystemIdentifier, use.Timeline, lsn) { Fork = use.Fork }
            : null;

    /// <summary>A position at or after all that a server showed, some time before it answered. What a primary keeps to itself is lost with it: so the least one that is proven.</summary>
    private static ulong? PositionIn(HostAnswer answer, TimeSpan before) => answer.IsInRecovery
        ? answer.ReceiveLsn >= answer.ReplayLsn ? answer.ReceiveLsn : null
        : before.TotalMilliseconds > answer.AsyncFlushMs ? answer.FlushLsn : answer.InsertLsn;

    /// <summary>Where a primary's inserted WAL ended when it answered.</summary>
    public static WalPosition PositionOf(TopologySnapshot topology, HostAnswer primary) => On(topology, primary.SystemIdentifier, primary.InsertLsn ?? 0);

    private static WalPosition On(TopologySnapshot topology, ulong systemIdentifier, ulong lsn) =>
        new(systemIdentifier, topology.Timeline, lsn) { Fork = topology.History.ForkOf(topology.Timeline) };

    /// <summary>
    /// Whether what is not known to be part of the present history is reported as lost. What is known of a position is that the deed lies before it. Where commits
    /// wait for a synchronous standby, the WAL beyond the fork holds none that was acknowledged: that it was left behind proves no loss.
    /// </summary>
    public static bool IsReportedLost(TopologySnapshot topology, int timeline, ulong fork) =>
        timeline >= topology.Timeline || topology.History.IsOnOtherFork(timeline, fork) || !topology.History.IsSynchronous(timeline, topology.Primary!.Answer!);
}
