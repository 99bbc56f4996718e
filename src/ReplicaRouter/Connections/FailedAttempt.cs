namespace ReplicaRouter;

/// <summary>A failure that was met on a host: who tries the same again had better do so elsewhere.</summary>
internal sealed record FailedAttempt(HostConfiguration Host, Exception Exception, long FailedAt)
{
    public Attempt Exclude(Attempt attempt)
    {
        attempt.Exclude(Host, Exception, FailedAt);
        return attempt;
    }
}
