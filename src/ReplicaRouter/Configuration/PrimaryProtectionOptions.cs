namespace ReplicaRouter;

/// <summary>
/// Limits the reads that fall back to the primary because replicas are down, lag, or lack what a session has written: the primary must survive
/// the loss of all replicas. A read beyond the limit waits, as long as its route lets it (<see cref="DatabaseRouteOptions.Wait"/>), and then gets a
/// <see cref="NoEligibleHostException"/>. Analytics give way first, then background work, then reads.
/// </summary>
/// <remarks>
/// Reads that ask for the primary (<see cref="Consistency.Strong"/>), that an operator forces there, or whose route has no replica at all are
/// no fallback, and not limited. <see cref="DatabaseRouter.GetClient"/> needs a free place at the moment that it is called, and throws at once
/// when there is none; what is done with the client later is not counted.
/// </remarks>
public sealed class PrimaryProtectionOptions
{
    /// <summary>Fallback reads that the primary serves at once, for this process.</summary>
    /// <value>Default 16; 1 to 10,000. Background work is let in only while half of them are free, analytics only while three quarters are.</value>
    public int MaxConcurrentReads { get; set; } = 16;

    /// <summary>Fallback reads that the primary serves in a second, for this process; as many may come at once after a quiet second.</summary>
    /// <value>Default none: the number at once limits them, the more the slower the primary gets. 1 to 1,000,000.</value>
    public int? MaxReadsPerSecond { get; set; }
}
