namespace ReplicaRouter.Checks.LostHistory;

/// <summary>The result of a <see cref="LostHistoryCheck"/>.</summary>
/// <param name="WithoutFault">The counts on the healthy cluster.</param>
/// <param name="Failover">The counts from the failover on; null without a failover.</param>
public sealed record LostHistoryReport(LostHistoryFigures WithoutFault, LostHistoryFigures? Failover)
{
    /// <summary>Sessions that reported a lost history although nothing was lost.</summary>
    public long LostHistories => WithoutFault.LostHistories + (Failover?.LostHistories ?? 0);

    /// <summary>Reads that showed less than their session must see.</summary>
    public long Violations => WithoutFault.Violations + (Failover?.Violations ?? 0);
}
