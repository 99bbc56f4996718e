namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>When a server could be used again, in <see cref="System.Diagnostics.Stopwatch"/>'s timestamps.</summary>
/// <param name="Port">The server's port.</param>
/// <param name="TakesReads">When it first answered as a replica.</param>
/// <param name="TakesWrites">When it became the primary.</param>
internal readonly record struct Recovery(int Port, long? TakesReads = null, long? TakesWrites = null);
