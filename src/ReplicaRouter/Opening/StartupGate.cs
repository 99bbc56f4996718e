namespace ReplicaRouter.Opening;

/// <summary>Holds up the first operations of a router until enough is known to choose by. Before the first probes nothing is: choosing then would send a whole start-up to one host, perhaps the wrong one.</summary>
/// <param name="store">What is known.</param>
/// <param name="mayServe">Whether the hosts that a route leads to when all is well may serve it now.</param>
/// <param name="limit">Time for the first probes.</param>
/// <param name="routes">Routes that there are.</param>
/// <param name="time">The clock.</param>
internal sealed class StartupGate(TopologyStore store, Func<RoutePlan, bool> mayServe, TimeSpan limit, int routes, TimeProvider time)
{
    /// <summary>
    /// How long other hosts are waited for once a read can be served: one that hangs must not hold up a start. What only the primary serves waits for all hosts, up to the limit: one
    /// that has not answered yet may have been promoted in the place of the one that has.
    /// </summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(100);

    private readonly long[] _servableSince = new long[routes];
    private volatile bool _isOpen;

    /// <summary>Whether all operations may choose.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Waits until a route's operation may choose.</summary>
    /// <param name="plan">The route; null waits for all hosts.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task WaitAsync(RoutePlan? plan, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        for (var topology = store.Current; !topology.IsSettled; topology = store.Current)
        {
            var left = limit - time.GetElapsedTime(start);
            if (left <= TimeSpan.Zero) break;
            if (plan is { IsReadOnly: true, FirstTier.IsPrimary: false } && mayServe(plan)) left = TimeSpan.Min(left, GraceLeft(plan));
            if (left <= TimeSpan.Zero) return;
            await store.NewerAsync(topology, left, cancellationToken).ConfigureAwait(false);
        }

        _isOpen = true;
    }

    private TimeSpan GraceLeft(RoutePlan plan)
    {
        var now = time.GetTimestamp();
        var since = Interlocked.CompareExchange(ref _servableSince[plan.Index], now, 0);
        return since == 0 ? Grace : Grace - time.GetElapsedTime(since, now);
    }
}
