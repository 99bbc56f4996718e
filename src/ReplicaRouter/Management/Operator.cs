using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Management;

/// <summary>Carries out an operator's orders, which are kept apart from observations: drain, restore, accept, force reads to the primary, wait until ready.</summary>
internal sealed class Operator(
    RouterConfiguration configuration,
    TopologyStore store,
    HostRegistry registry,
    CommandListener listener,
    RoutingCounters counters,
    TimeProvider time,
    ILogger logger)
{
    private static readonly TimeSpan DrainPoll = TimeSpan.FromMilliseconds(20);

    public void ForceToPrimary(TimeSpan duration)
    {
        var now = time.GetTimestamp();
        var write = configuration.PlanOf(DatabaseOperation.Write);
        var wasForced = false;
        store.Update(current =>
        {
            if (current.Primary is null or { IsDrained: true })
            {
                throw new NoEligibleHostException(HostNames.Primary, Eligibility.Explain(current, write, RouteRequest.For(write, null, time), time));
            }

            wasForced = now < current.ForcedToPrimaryUntil;
            return current.WithForcedToPrimary(long.CreateSaturating((Int128)now + time.Ticks(duration)), time);
        });
        if (!wasForced) counters.Count(RouterEvent.ForcedToPrimary);
        Log.ForcedToPrimary(logger, duration);
        registry.Wake(ulong.MaxValue);
    }

    public async Task DrainAsync(string name, CancellationToken cancellationToken)
    {
        var host = Find(name);
        var pools = registry.PoolsOf(host);
        store.Update(current => current.WithDrained(host.Index, true, time));
        Log.Drained(logger, host.Name);

        var start = time.GetTimestamp();
        while (listener.CountInUse(pools.Sources) > 0)
        {
            // Restored meanwhile, so its connections are needed again; or removed, which drains it anyway.
            if (store.Current.At(host.Index) is not { IsDrained: true }) return;
            if (time.GetElapsedTime(start) >= configuration.DrainTimeout)
            {
                Log.DrainTimedOut(logger, host.Name, listener.CountInUse(pools.Sources), configuration.DrainTimeout);
                break;
            }

            await Task.Delay(DrainPoll, time, cancellationToken).ConfigureAwait(false);
        }

        pools.Clear();
    }

    public void Restore(string name)
    {
        var host = Find(name);
        store.Update(current => current.WithDrained(host.Index, false, time));
        Log.Restored(logger, host.Name);
    }

    public HostAcceptance PreviewAccept(string name) => Acceptance.Of(store.Current, Acceptable(store.Current, name), time);

    public HostAcceptance Accept(string name)
    {
        HostAcceptance? accepted = null;
        store.Update(current =>
        {
            var host = Acceptable(current, name);
            accepted = Acceptance.Of(current, host, time);
            return current.WithAccepted(host, time);
        });
        Log.Accepted(logger, accepted!.Host, accepted.SystemIdentifier, accepted.Timeline, accepted.GivenUp.Count == 0 ? "nothing" : string.Join(" ", accepted.GivenUp));
        // Probe all hosts now, so that operations that wait for a primary go on at once.
        registry.Wake(ulong.MaxValue);
        return accepted;
    }

    /// <summary>Waits until some host can serve, up to a limit; <see cref="Timeout.InfiniteTimeSpan"/> for none.</summary>
    public async Task WaitUntilReadyAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            var topology = store.Current;
            if (topology.IsSettled)
            {
                if (Misconfiguration.Find(topology) is { Count: > 0 } faults) throw new DatabaseRouterConfigurationException(faults);
                if (topology.Hosts.Any(host => host.IsWell)) return;
            }

            var left = limit == Timeout.InfiniteTimeSpan ? TimeSpan.LongestWait : limit - time.GetElapsedTime(start);
            try
            {
                if (!await store.NewerAsync(topology, left, cancellationToken).ConfigureAwait(false)) throw NotReady();
            }
            catch (OperationCanceledException)
            {
                throw new OperationCanceledException("No host can serve yet.", NotReady(), cancellationToken);
            }
        }
    }

    private NoEligibleHostException NotReady()
    {
        var read = configuration.PlanOf(DatabaseOperation.Read);
        return Eligibility.NoHost(store.Current, read, RouteRequest.For(read, null, time), time);
    }

    private HostSnapshot Acceptable(TopologySnapshot topology, string name) => topology.Find(Find(name)) is { IsAnswering: true } host
        ? host
        : throw new InvalidOperationException($"Host '{name}' does not answer, so its identity and timeline can't be accepted. Start it first.");

    private HostConfiguration Find(string name)
    {
        var hosts = store.Current.Hosts;
        return hosts.FirstOrDefault(host => host.Name.Equals(name, StringComparison.OrdinalIgnoreCase))?.Configuration
            ?? throw new ArgumentException($"There is no host '{name}'. The hosts are: {string.Join(", ", hosts.Select(h => h.Name))}.", nameof(name));
    }
}
