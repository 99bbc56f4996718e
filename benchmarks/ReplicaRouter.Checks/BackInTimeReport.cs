namespace ReplicaRouter.Checks;

/// <summary>What a run of the <see cref="BackInTimeCheck"/> found.</summary>
/// <param name="IsSynchronous">Whether commits waited for a synchronous standby.</param>
/// <param name="Pairs">Pairs of a replica's read and then the primary's, in sessions.</param>
/// <param name="BackInTime">Pairs whose second read showed less than the first.</param>
/// <param name="Ways">The same by what led to the primary.</param>
/// <param name="Errors">Pairs that ended in an error, as when the primary hid a commit for longer than a read may wait.</param>
/// <param name="Writes">Commits meanwhile.</param>
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
