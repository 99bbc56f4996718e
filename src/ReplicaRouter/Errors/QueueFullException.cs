namespace ReplicaRouter.Errors;

/// <summary>A caller was refused at once, because the queue for a connection of its pool is too long.</summary>
internal sealed class QueueFullException() : TimeoutException("More callers are queued for a connection than can be served.");
