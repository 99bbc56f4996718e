namespace ReplicaRouter.Checks;

/// <summary>Counts of one part of a <see cref="LostHistoryCheck"/>.</summary>
/// <param name="Sessions">Sessions, counting each hop of a token as a new one.</param>
/// <param name="LostHistories">Those that reported a lost history.</param>
/// <param name="Errors">Reads and writes that failed.</param>
public sealed record LostHistoryFigures(long Sessions, long LostHistories, long Errors)
{
    /// <summary>What was counted since.</summary>
    public static LostHistoryFigures operator -(LostHistoryFigures all, LostHistoryFigures before) =>
        new(all.Sessions - before.Sessions, all.LostHistories - before.LostHistories, all.Errors - before.Errors);
}
