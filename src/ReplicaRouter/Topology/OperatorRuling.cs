namespace ReplicaRouter;

/// <summary>What an operator ordered about a host as it stood at that moment. It holds for as long as the host answers the same.</summary>
/// <param name="SystemIdentifier">The identity that the host showed.</param>
/// <param name="Timeline">The timeline that it showed.</param>
/// <param name="IsInRecovery">Whether it was in recovery.</param>
/// <param name="IsAccepted">Whether it is right whatever other hosts show; otherwise its timeline was given up.</param>
internal sealed record OperatorRuling(ulong SystemIdentifier, int Timeline, bool IsInRecovery, bool IsAccepted)
{
    public static OperatorRuling On(HostSnapshot host, bool isAccepted) => new(host.Answer!.SystemIdentifier, host.ShownTimeline, host.Answer.IsInRecovery, isAccepted);

    public bool Covers(HostAnswer answer) => answer.SystemIdentifier == SystemIdentifier && (answer.ReplayTimeline ?? 0) == Timeline && answer.IsInRecovery == IsInRecovery;
}
