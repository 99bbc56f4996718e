namespace ReplicaRouter.Checks.LostHistory;

/// <summary>Counts of one part of a <see cref="LostHistoryCheck"/>.</summary>
/// <param name="Sessions">Sessions, counting each hop of a token as a new one.</param>
/// <param name="LostHistories">Those that reported a lost history.</param>
/// <param name="Errors">Reads and writes that failed.</param>
/// <param name="Violations">Reads that showed less than what their session had written or read before.</param>
public sealed record LostHistoryFigures(long Sessions, long LostHistories, long Errors, long Violations)
{
    /// <summary>Returns the counts since an earlier reading.</summary>
    public static LostHistoryFigures operator -(LostHistoryFigures all, LostHistoryFigures before) =>
        new(all.Sessions - before.Sessions, all.LostHistories - before.LostHistories, all.Errors - before.Errors, all.Violations - before.Violations);
}
