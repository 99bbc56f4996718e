namespace ReplicaRouter.Opening;

/// <summary>
/// Delays a router's first operations until enough is known to choose a host. Choosing before the first probes would send a whole start-up to one host, perhaps the wrong one.
/// <paramref name="mayServe"/>: whether a route's own hosts may serve it now, without fallback. <paramref name="limit"/>: time limit for the first probes.
/// </summary>
internal sealed class StartupGate(TopologyStore store, Func<RoutePlan, bool> mayServe, TimeSpan limit, int routes, TimeProvider time)
{
    /// <summary>
    /// How long to wait for other hosts once a read can be served: a hung host must not delay a start. What only the primary serves waits for all hosts, up to the limit: a host
    /// that has not answered yet may have been promoted in place of the one that has.
    /// </summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(100);

    private readonly long[] _servableSince = new long[routes];
    private volatile bool _isOpen;

    /// <summary>Whether all operations may choose a host.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Waits until a route's operation may choose a host; without a route, for all hosts.</summary>
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
