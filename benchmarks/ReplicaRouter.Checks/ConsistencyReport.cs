namespace ReplicaRouter.Checks;

/// <summary>What a run of the <see cref="ConsistencyCheck"/> found.</summary>
/// <param name="Reads">Reads in sessions.</param>
/// <param name="Sessions">Sessions, counting each hop of a token as a new one.</param>
/// <param name="Violations">Reads in sessions that showed less than the session had written or read before.</param>
/// <param name="ServedByReplicas">Share of the reads in sessions that a server in recovery answered, by its own word.</param>
/// <param name="LostHistories">Sessions that were told of a lost history, and so expect nothing from before it.</param>
/// <param name="Errors">Reads and writes that failed, as when no primary was left for a while.</param>
/// <param name="Faults">Faults that were done to the servers, by kind.</param>
/// <param name="WithoutSessions">The same work done outside sessions: proof that the check can find violations.</param>
public sealed record ConsistencyReport(
    long Reads, long Sessions, long Violations, double ServedByReplicas, long LostHistories, long Errors, IReadOnlyDictionary<string, int> Faults, PlainReads WithoutSessions);

/// <summary>Reads outside sessions.</summary>
/// <param name="Reads">Number of reads.</param>
/// <param name="Violations">Those that showed less than was written or read before.</param>
public sealed record PlainReads(long Reads, long Violations);
