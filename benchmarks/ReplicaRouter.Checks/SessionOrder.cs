namespace ReplicaRouter.Checks;

/// <summary>An order to a process of a <see cref="LostHistoryCheck"/>: one line of its standard input.</summary>
/// <param name="Id">The worker that waits for the answer, and the number of its row.</param>
/// <param name="Token">The session's token from the previous process; empty for a new session.</param>
/// <param name="Written">The last value that was written, acknowledged or not.</param>
/// <param name="Known">The lowest value that a read can show.</param>
/// <param name="Seed">Decides which steps write.</param>
internal sealed record SessionOrder(int Id, string Token, long Written, long Known, int Seed);
