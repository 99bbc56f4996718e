namespace ReplicaRouter.Hosts;

/// <summary>
/// What an operator ordered about a host as it stood at that moment: that it is right whatever other hosts show, or else that its timeline is given up.
/// It holds until the host shows something else.
/// </summary>
internal sealed record OperatorRuling(ulong SystemIdentifier, int Timeline, bool IsInRecovery, bool IsAccepted)
{
    public static OperatorRuling Accept(HostSnapshot host) => new(host.Answer!.SystemIdentifier, host.ShownTimeline, host.Answer.IsInRecovery, IsAccepted: true);

    public static OperatorRuling Refuse(HostSnapshot host) => new(host.Answer!.SystemIdentifier, host.ReachedTimeline, host.Answer.IsInRecovery, IsAccepted: false);

    /// <summary>What an operator does to have a host followed.</summary>
    public static string HowToAccept(HostSnapshot host) => $"run 'replica-router accept {host.Name} --app <URL of its dashboard>' for each application process";

    public bool Covers(HostAnswer answer) => answer.SystemIdentifier == SystemIdentifier && (IsAccepted
        ? answer.IsInRecovery == IsInRecovery && (answer.ReplayTimeline ?? 0) == Timeline
        : StreamedTimeline(answer) is not { } streamed || streamed == Timeline);

    /// <summary>A standby that receives nothing shows no timeline that is sure: its control file may show one that it has left.</summary>
    private static int? StreamedTimeline(HostAnswer answer) => answer.IsTimelineHidden ? answer.ReplayTimeline : answer.Timeline;
}
