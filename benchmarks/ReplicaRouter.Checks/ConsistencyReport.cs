namespace ReplicaRouter.Checks;

/// <summary>The result of a <see cref="ConsistencyCheck"/>.</summary>
/// <param name="Reads">Reads in sessions.</param>
/// <param name="Sessions">Sessions, counting each hop of a token as a new one.</param>
/// <param name="Violations">Reads in sessions that showed less than the session had written or read before.</param>
/// <param name="ServedByReplicas">Share of the reads in sessions that were answered by a server that reported to be in recovery.</param>
/// <param name="LostHistories">Sessions that reported a lost history, and so expect nothing from before it.</param>
/// <param name="Errors">Reads and writes that failed, for example while there was no primary.</param>
/// <param name="Faults">Faults of the servers, by kind.</param>
/// <param name="WithoutSessions">The same work done outside sessions: proof that the check can find violations.</param>
public sealed record ConsistencyReport(
    long Reads, long Sessions, long Violations, double ServedByReplicas, long LostHistories, long Errors, IReadOnlyDictionary<string, int> Faults, PlainReads WithoutSessions);

/// <summary>Reads outside sessions.</summary>
/// <param name="Reads">Number of reads.</param>
/// <param name="Violations">Those that showed less than was written or read before.</param>
public sealed record PlainReads(long Reads, long Violations);
