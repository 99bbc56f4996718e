namespace ReplicaRouter.Pools;

/// <summary>The opening of a connection, at any stage.</summary>
/// <param name="Pool">The pool.</param>
/// <param name="Lease">The connection; null while the pool has none available.</param>
/// <param name="Task">Its opening; null if not started.</param>
/// <param name="IsInDoubt">Whether the connection is already known to be possibly dead.</param>
internal readonly record struct StartedOpening(HostPool Pool, ConnectionLease? Lease, Task? Task = null, bool IsInDoubt = false);
