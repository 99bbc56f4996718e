namespace ReplicaRouter.Tool.Drill;

/// <summary>What a drill showed.</summary>
/// <param name="Cluster">The cluster's name.</param>
/// <param name="Phases">The phases, in order.</param>
/// <param name="Writes">What became of the writes; null when there were none.</param>
/// <param name="Complaints">What did not happen as it should have, apart from errors.</param>
internal sealed record DrillReport(string Cluster, IReadOnlyList<PhaseReport> Phases, WriteReport? Writes, IReadOnlyList<string> Complaints)
{
    /// <summary>Operations that failed, in all phases.</summary>
    public long Errors => Phases.Sum(phase => phase.Errors.Values.Sum());
}

/// <summary>One phase of a drill.</summary>
/// <param name="Name">What was done in it.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Operations">Operations that succeeded.</param>
/// <param name="Errors">Operations that failed, by message.</param>
/// <param name="MedianMs">Half of the operations took no longer.</param>
/// <param name="P99Ms">99 of 100 operations took no longer.</param>
/// <param name="MaxMs">The longest operation.</param>
/// <param name="ByHost">Operations by the host that answered them.</param>
/// <param name="RecoveryMs">How long it took until all was as before, where the phase was about that.</param>
internal sealed record PhaseReport(
    string Name, double Seconds, long Operations, IReadOnlyDictionary<string, long> Errors, double MedianMs, double P99Ms, double MaxMs,
    IReadOnlyDictionary<string, long> ByHost, double? RecoveryMs);

/// <summary>What became of the writes.</summary>
/// <param name="Acknowledged">Writes that the application was told are done.</param>
/// <param name="Unknown">Writes whose connection was lost before the answer.</param>
/// <param name="Lost">Acknowledged writes that are not there.</param>
/// <param name="Doubled">Writes that are there more than once.</param>
internal sealed record WriteReport(long Acknowledged, long Unknown, long Lost, long Doubled);
