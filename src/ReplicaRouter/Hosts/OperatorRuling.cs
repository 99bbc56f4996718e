namespace ReplicaRouter.Hosts;

/// <summary>
/// An operator's ruling on a host: that its identity and timeline are right regardless of other hosts, or that its timeline is abandoned.
/// It holds until the host shows something else.
/// </summary>
internal sealed record OperatorRuling(ulong SystemIdentifier, int Timeline, bool IsInRecovery, bool IsAccepted)
{
    public static OperatorRuling Accept(HostSnapshot host) => new(host.Answer!.SystemIdentifier, host.ShownTimeline, host.Answer.IsInRecovery, IsAccepted: true);

    public static OperatorRuling Refuse(HostSnapshot host) => new(host.Answer!.SystemIdentifier, host.ReachedTimeline, host.Answer.IsInRecovery, IsAccepted: false);

    public static string HowToAccept(HostSnapshot host) => $"run 'replica-router accept {host.Name} --app <URL of its dashboard>' for each application process";

    public bool Covers(HostAnswer answer) => answer.SystemIdentifier == SystemIdentifier && (IsAccepted
        ? answer.IsInRecovery == IsInRecovery && (answer.ReplayTimeline ?? 0) == Timeline
        : StreamedTimeline(answer) is not { } streamed || streamed == Timeline);

    /// <summary>Returns the timeline that a host writes or receives; null for a standby that receives nothing, whose control file can show a timeline that it has left.</summary>
    private static int? StreamedTimeline(HostAnswer answer) => answer.IsTimelineHidden ? answer.ReplayTimeline : answer.Timeline;
}
