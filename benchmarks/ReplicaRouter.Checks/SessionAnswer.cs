namespace ReplicaRouter.Checks;

/// <summary>What a process of a <see cref="LostHistoryCheck"/> did: one line of its standard output.</summary>
/// <param name="Id">The worker that gave the order.</param>
/// <param name="Token">Goes with the session to the next process.</param>
/// <param name="Written">The last value that was written, acknowledged or not.</param>
/// <param name="Known">The value that each later read must show at least.</param>
/// <param name="IsLost">Whether the session reported a lost history.</param>
/// <param name="Errors">Reads and writes that failed.</param>
/// <param name="Violations">Reads that showed less than what was known.</param>
internal sealed record SessionAnswer(int Id, string Token, long Written, long Known, bool IsLost, int Errors, long Violations);
