namespace ReplicaRouter.Pools;

/// <summary>The opening of a connection, as far as it was begun.</summary>
/// <param name="Pool">Where it is opened.</param>
/// <param name="Lease">The connection; null as long as the pool has none to give.</param>
/// <param name="Task">Its opening; null as long as it was not begun.</param>
/// <param name="IsInDoubt">Whether it is known already that the connection may have ended while it was idle.</param>
internal readonly record struct StartedOpening(HostPool Pool, ConnectionLease? Lease, Task? Task = null, bool IsInDoubt = false);
