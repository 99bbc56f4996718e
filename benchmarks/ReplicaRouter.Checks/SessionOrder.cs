namespace ReplicaRouter.Checks;

/// <summary>What a process of a <see cref="LostHistoryCheck"/> is asked to do: one line of its standard input.</summary>
/// <param name="Id">The worker, who waits for the answer, and the number of its row.</param>
/// <param name="Token">The session's token from the process before; empty for none.</param>
/// <param name="Written">The last value that was written, acknowledged or not.</param>
/// <param name="Known">The value that each read must show at least.</param>
/// <param name="Seed">Decides which steps write.</param>
internal sealed record SessionOrder(int Id, string Token, long Written, long Known, int Seed);
