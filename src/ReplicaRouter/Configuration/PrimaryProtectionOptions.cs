namespace ReplicaRouter;

/// <summary>
/// Limits the reads that fall back to the primary because replicas are down, lag, or lack a session's writes: the primary must survive the loss of all
/// replicas. The limit adapts: it grows while reads queue and the primary's commands take as long as usual, and shrinks when they take twice as long.
/// A read beyond the limit queues for at most its route's <see cref="DatabaseRouteOptions.Wait"/>, and then fails with a <see cref="NoEligibleHostException"/>.
/// It fails at once if it can't be served in time. Analytics give way first, then background work, then reads.
/// </summary>
/// <remarks>
/// Reads that require the primary (<see cref="Consistency.Strong"/>), that an operator forces there, or whose route has no replicas are not
/// fallback reads, and not limited. <see cref="DatabaseRouter.GetClient"/> throws at once if no slot is free when it is called; later use of the
/// client does not count.
/// </remarks>
public sealed class PrimaryProtectionOptions
{
    /// <summary>Maximum number of concurrent fallback reads of this process on the primary, even if the primary could serve more.</summary>
    /// <value>
    /// Default none: the limit adapts between 2 and the size of the largest pool by which reads fall back, 30 by default. 1 to 10,000.
    /// Background work is admitted only while half of the slots are free, analytics only while three quarters are.
    /// </value>
    public int? MaxConcurrentReads { get; set; }

    /// <summary>Maximum rate of this process's fallback reads on the primary, per second. After a quiet second, that many can start at once.</summary>
    /// <value>Default none: only the adaptive limit of concurrent reads applies. 1 to 1,000,000.</value>
    public int? MaxReadsPerSecond { get; set; }
}
