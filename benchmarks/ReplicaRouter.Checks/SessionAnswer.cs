namespace ReplicaRouter.Checks;

/// <summary>The result of one order to a process of a <see cref="LostHistoryCheck"/>: one line of its standard output.</summary>
/// <param name="Id">The worker that gave the order.</param>
/// <param name="Token">The session's token, for the next process.</param>
/// <param name="Written">The last value that was written, acknowledged or not.</param>
/// <param name="Known">The lowest value that a later read can show.</param>
/// <param name="IsLost">Whether the session reported a lost history.</param>
/// <param name="Errors">Reads and writes that failed.</param>
/// <param name="Violations">Reads that showed less than what was known.</param>
internal sealed record SessionAnswer(int Id, string Token, long Written, long Known, bool IsLost, int Errors, long Violations);
