namespace ReplicaRouter.Errors;

/// <summary>A caller was refused at once, as too many others wait for a connection of its pool.</summary>
internal sealed class LineTooLongException() : TimeoutException("More callers wait for a connection than connections come back for.");
