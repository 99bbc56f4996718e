namespace ReplicaRouter.Checks;

/// <summary>The result of a <see cref="BackInTimeCheck"/>.</summary>
/// <param name="IsSynchronous">Whether commits waited for a synchronous standby.</param>
/// <param name="Pairs">Pairs of a replica's read and then the primary's, in sessions.</param>
/// <param name="BackInTime">Pairs whose second read showed less than the first.</param>
/// <param name="Ways">The pairs by the way that led to the primary.</param>
/// <param name="Errors">Pairs that failed, for example because the primary hid a commit for longer than a read can wait.</param>
/// <param name="Writes">Commits during the check.</param>
/// <param name="Cuts">How often the standby was cut off.</param>
/// <param name="WithoutSessions">The same pairs outside sessions: proof that the check can find them.</param>
public sealed record BackInTimeReport(
    bool IsSynchronous, long Pairs, long BackInTime, IReadOnlyDictionary<WayToPrimary, PairCounts> Ways, long Errors, long Writes, long Cuts, PairCounts WithoutSessions)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{(IsSynchronous ? "synchronous" : "asynchronous")}: {BackInTime} of {Pairs} pairs went back in time "
        + $"({string.Join(", ", Ways.Select(way => $"{way.Key} {way.Value.BackInTime} of {way.Value.Pairs}"))}); {Errors} errors, {Writes} writes, {Cuts} cuts; "
        + $"without sessions {WithoutSessions.BackInTime} of {WithoutSessions.Pairs}";
}
