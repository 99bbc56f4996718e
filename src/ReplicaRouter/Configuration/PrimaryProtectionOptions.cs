namespace ReplicaRouter;

/// <summary>
/// Limits the reads that fall back to the primary because replicas are down, lag, or lack what a session has written: the primary must survive
/// the loss of all replicas. The limit follows what the primary bears: it grows while reads wait and the primary's commands take as long as usual, and shrinks when they take twice as long.
/// A read beyond the limit waits, as long as its route lets it (<see cref="DatabaseRouteOptions.Wait"/>), and then gets a
/// <see cref="NoEligibleHostException"/>; at once where it can't be served in time. Analytics give way first, then background work, then reads.
/// </summary>
/// <remarks>
/// Reads that ask for the primary (<see cref="Consistency.Strong"/>), that an operator forces there, or whose route has no replica at all are
/// no fallback, and not limited. <see cref="DatabaseRouter.GetClient"/> needs a free place at the moment that it is called, and throws at once
/// when there is none; what is done with the client later is not counted.
/// </remarks>
public sealed class PrimaryProtectionOptions
{
    /// <summary>Most fallback reads that the primary serves at once, for this process, even if it bears more.</summary>
    /// <value>
    /// Default none: what the primary bears is found, from 2 up to the connections of the largest pool by which reads fall back, 30 by default. 1 to 10,000.
    /// Background work is let in only while half of the places are free, analytics only while three quarters are.
    /// </value>
    public int? MaxConcurrentReads { get; set; }

    /// <summary>Fallback reads that the primary serves in a second, for this process; as many may come at once after a quiet second.</summary>
    /// <value>Default none: the number at once limits them, and follows what the primary bears. 1 to 1,000,000.</value>
    public int? MaxReadsPerSecond { get; set; }
}
