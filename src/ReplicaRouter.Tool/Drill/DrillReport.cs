namespace ReplicaRouter.Tool.Drill;

/// <summary>What a drill showed.</summary>
/// <param name="Cluster">The cluster's name.</param>
/// <param name="Phases">The phases, in order.</param>
/// <param name="Writes">The outcome of the writes; null when there were none.</param>
/// <param name="Complaints">What went wrong, apart from failed operations.</param>
internal sealed record DrillReport(string Cluster, IReadOnlyList<PhaseReport> Phases, WriteReport? Writes, IReadOnlyList<string> Complaints)
{
    /// <summary>Operations that failed, in all phases.</summary>
    public long Errors => Phases.Sum(phase => phase.Errors.Values.Sum());
}

/// <summary>One phase of a drill.</summary>
/// <param name="Name">What was done in the phase.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Operations">Operations that succeeded.</param>
/// <param name="Errors">Operations that failed, by message.</param>
/// <param name="MedianMs">Half of the operations took no longer.</param>
/// <param name="P99Ms">99 of 100 operations took no longer.</param>
/// <param name="MaxMs">The longest operation.</param>
/// <param name="ByHost">Operations by the host that answered them.</param>
/// <param name="RecoveryMs">Time until recovery, in ms; null for a phase without a recovery.</param>
internal sealed record PhaseReport(
    string Name, double Seconds, long Operations, IReadOnlyDictionary<string, long> Errors, double MedianMs, double P99Ms, double MaxMs,
    IReadOnlyDictionary<string, long> ByHost, double? RecoveryMs);

/// <summary>The outcome of the writes.</summary>
/// <param name="Acknowledged">Writes that the server acknowledged.</param>
/// <param name="Unknown">Writes whose connection was lost before the acknowledgement.</param>
/// <param name="Lost">Acknowledged writes that are missing.</param>
/// <param name="Doubled">Writes that are in the table more than once.</param>
internal sealed record WriteReport(long Acknowledged, long Unknown, long Lost, long Doubled);
