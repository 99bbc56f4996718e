namespace ReplicaRouter.Errors;

/// <summary>A caller was refused at once, because the queue for a connection of its pool is too long.</summary>
internal sealed class LineTooLongException() : TimeoutException("More callers are queued for a connection than can be served.");
