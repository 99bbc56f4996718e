namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>Since when a server could have been used again, by <see cref="System.Diagnostics.Stopwatch"/>'s timestamps.</summary>
/// <param name="Port">The server's own port.</param>
/// <param name="TakesReads">The moment from which it answered as a replica.</param>
/// <param name="TakesWrites">The moment from which it was the primary.</param>
internal readonly record struct Recovery(int Port, long? TakesReads = null, long? TakesWrites = null);
