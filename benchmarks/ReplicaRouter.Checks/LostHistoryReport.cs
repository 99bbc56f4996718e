namespace ReplicaRouter.Checks;

/// <summary>What a <see cref="LostHistoryCheck"/> found.</summary>
/// <param name="WithoutFault">On the healthy cluster.</param>
/// <param name="Failover">From the failover on; null without one.</param>
public sealed record LostHistoryReport(LostHistoryFigures WithoutFault, LostHistoryFigures? Failover)
{
    /// <summary>Sessions that reported a loss where there was none.</summary>
    public long LostHistories => WithoutFault.LostHistories + (Failover?.LostHistories ?? 0);

    /// <summary>Reads that showed less than they must.</summary>
    public long Violations => WithoutFault.Violations + (Failover?.Violations ?? 0);
}
