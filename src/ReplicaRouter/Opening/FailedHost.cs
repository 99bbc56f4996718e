namespace ReplicaRouter.Opening;

/// <summary>A host's failure that a caller reported; the next attempt goes elsewhere.</summary>
internal sealed record FailedHost(HostConfiguration Host, Exception Exception, long FailedAt);
