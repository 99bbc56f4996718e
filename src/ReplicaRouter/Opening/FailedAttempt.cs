namespace ReplicaRouter.Opening;

/// <summary>A failure that was met on a host: the same had better be tried elsewhere.</summary>
internal sealed record FailedAttempt(HostConfiguration Host, Exception Exception, long FailedAt);
