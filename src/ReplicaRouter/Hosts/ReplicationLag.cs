namespace ReplicaRouter.Hosts;

/// <summary>Judges how far a replica lags behind the primary, by WAL positions and our own monotonic clock.</summary>
internal static class ReplicationLag
{
    public static HostSnapshot Judge(HostSnapshot host, HostSnapshot? primary, int timeline, WalHistory wal, TimeSpan maxLag, TimeProvider time)
    {
        if (host.Role != HostRole.Replica || !host.IsServing) return host.WithLag(null);

        var (answer, sentAt) = (host.Answer!, host.LastAnswered!.SentAt);
        if (primary is not null)
        {
            if (answer.Timeline < timeline || IsOrphan(answer, primary, timeline)) return OnOtherTimeline(host, $"follows timeline {answer.ReplayTimeline}, but the primary is on {timeline}.");
            if (host.ReachedTimeline > timeline) return OnOtherTimeline(host, $"follows timeline {host.ReachedTimeline}, on which there is no primary; the primary is on {timeline}.");
            if (host.DivergedFrom == timeline || IsAhead(host.LastAnswered, primary.LastAnswered!))
                return OnOtherTimeline(host with { DivergedFrom = timeline }, "has replayed WAL that the primary has not written: it has followed another server. Rebuild it as a standby.");
        }

        if (wal.IsEmpty || answer.ReplayLsn is not { } replayed)
        {
            return Unknown(host, wal.IsEmpty ? "no position of a primary is known yet" : "the standby has replayed nothing yet");
        }

        var behind = wal.NewestLsn > replayed ? (long)(wal.NewestLsn - replayed) : 0;
        if (behind == 0)
        {
            // With a primary, freshness is proven up to its newest sample. Without one, nothing newer is known to exist.
            return host.WithLag(primary is not null ? wal.NewestAt : Math.Max(sentAt, wal.NewestAt), TimeSpan.Zero, lagBytes: 0);
        }

        if (wal.ProvenAt(replayed) is not { } proven) return Unknown(host, "it has not replayed any known position of the primary yet") with { LagBytes = behind };

        // As of the replica's own answer: compared with what the primary has written since, the probe interval would look like lag.
        var lag = replayed >= wal.KnownAt(sentAt) ? TimeSpan.Zero : time.GetElapsedTime(Math.Min(wal.EstimatedAt(replayed)!.Value, sentAt), sentAt);
        var judged = host.WithLag(proven, lag, time.Ticks(lag), lag == TimeSpan.Zero ? 0 : behind);
        return lag <= maxLag ? judged : judged with
        {
            State = judged.State == HostState.Healthy ? HostState.Lagging : judged.State,
            Error = $"replication lag {lag.TotalSeconds:0.0} s, limit {maxLag.TotalSeconds:0.0} s",
        };
    }

    /// <summary>Whether a standby that receives nothing has replayed past the point where the primary's timeline branched off, and so cannot follow it.</summary>
    private static bool IsOrphan(HostAnswer standby, HostSnapshot primary, int timeline) =>
        standby is { Timeline: null, IsTimelineHidden: false } && standby.ReplayTimeline < timeline && standby.ReplayLsn > primary.Answer!.ReplayLsn;

    /// <summary>Whether a standby showed more WAL than the primary had written by a later moment. Its control file can go on showing the primary's timeline for long.</summary>
    private static bool IsAhead(HostObservation standby, HostObservation primary) =>
        primary.SentAt >= standby.ReceivedAt && standby.Answer!.ReplayLsn > primary.Answer!.InsertLsn;

    private static HostSnapshot OnOtherTimeline(HostSnapshot host, string why) =>
        host.WithLag(null) with { State = HostState.OldTimeline, Error = $"{host.Configuration.Endpoint} {why}" };

    private static HostSnapshot Unknown(HostSnapshot host, string why) => host.WithLag(null) with
    {
        State = host.State == HostState.Healthy ? HostState.LagUnknown : host.State,
        Error = $"replication lag unknown: {why}",
    };
}
