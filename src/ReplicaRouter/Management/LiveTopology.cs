using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Management;

/// <summary>Adds, removes and reconnects hosts while the router runs, as the configuration and the discovery sources name them.</summary>
/// <remarks>Changes are applied one after another. Requests never wait for them: they see one snapshot or the next.</remarks>
internal sealed class LiveTopology(
    RouterConfiguration configuration, HostRegistry registry, TopologyStore store, Func<HostConfiguration, IHostProbe> createProbe, ConnectionDrain drain,
    RoutingCounters counters, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<Task> _underWay = [];
    private readonly Dictionary<int, (HostConfiguration Host, CancellationTokenSource Superseded)> _renewals = [];
    // The last answer of each source, by name, and the timestamp of the request.
    private Dictionary<string, (IReadOnlyList<DiscoveredHost> Hosts, long AskedAt)> _discovered = [];
    private ImmutableArray<HostConfiguration> _configured = configuration.Hosts;
    // Indexes in use, one bit each, including those of removed hosts that still have connections in use.
    private ulong _taken = configuration.Hosts.Aggregate(0UL, (taken, host) => taken | host.Bit);

    /// <summary>Replaces the configured hosts, by others or by the same ones with other settings.</summary>
    /// <exception cref="DatabaseRouterConfigurationException">There are too many hosts. Nothing has changed.</exception>
    public void Configure(ImmutableArray<HostConfiguration> hosts)
    {
        lock (_lock) Apply(hosts, _discovered);
    }

    /// <summary>Replaces the hosts that a source names.</summary>
    /// <inheritdoc cref="Configure" path="/exception"/>
    public void Discover(string source, IReadOnlyList<DiscoveredHost> hosts, long askedAt)
    {
        lock (_lock) Apply(_configured, new(_discovered) { [source] = (hosts, askedAt) });
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        Task[] underWay;
        lock (_lock) underWay = [.. _underWay];
        await Task.WhenAll(underWay).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Apply(ImmutableArray<HostConfiguration> configured, Dictionary<string, (IReadOnlyList<DiscoveredHost> Hosts, long AskedAt)> discovered)
    {
        if (_stop.IsCancellationRequested) return;
        ImmutableArray<HostConfiguration> present = [.. store.Current.Hosts.Select(host => host.Configuration)];
        var named = discovered.Select(source => (source.Key, source.Value.Hosts));
        var (added, removed, kept) = TopologyDifference.Between(present, WantedHosts.Of(configured, named, store.Current.Primary?.Configuration, configuration.Discovery));
        if (BitOperations.PopCount(_taken) + added.Length > RouterConfiguration.MostHosts)
        {
            throw new DatabaseRouterConfigurationException([string.Create(CultureInfo.InvariantCulture,
                $"{added.Length} hosts would join the {BitOperations.PopCount(_taken)} current ones, including removed hosts that are still draining; a router serves at most {RouterConfiguration.MostHosts}.")]);
        }

        // Before a new host can answer, as sources can contradict what it shows.
        store.Update(current => current.WithLeaders(NamedLeaders.Of(discovered.Values), time));
        ImmutableArray<HostConfiguration> arrivals = [.. added.Select(Place)];
        foreach (var host in arrivals) registry.Add(host);
        // New connection settings take effect later, once the host accepts them.
        ImmutableArray<HostConfiguration> stay = [.. kept.Select(pair => pair.After with { Connection = pair.Before.Connection, Source = pair.Before.Source })];
        foreach (var host in stay) registry.PoolsOf(host).Host = host;
        if (arrivals.Length + removed.Length > 0 || kept.Any(pair => !pair.After.ServesAs(pair.Before))) store.Update(current => current.WithHosts([.. stay, .. arrivals], time));

        foreach (var host in arrivals) OnAdded(host);
        foreach (var host in removed) OnRemoved(host);
        foreach (var (before, after) in kept) OnKept(before, after);
        (_configured, _discovered) = (configured, discovered);
    }

    private HostConfiguration Place(HostConfiguration host)
    {
        var index = BitOperations.TrailingZeroCount(~_taken);
        _taken |= 1UL << index;
        return host with { Index = index, AddedAt = Math.Max(1, time.GetTimestamp()) };
    }

    private void OnAdded(HostConfiguration host)
    {
        counters.Count(RouterEvent.HostAdded);
        Log.HostAdded(logger, host.Name, host.Endpoint);
        registry.MonitorOf(host).Start();
    }

    private void OnRemoved(HostConfiguration host)
    {
        counters.Count(RouterEvent.HostRemoved);
        Log.HostRemoved(logger, host.Name, host.Endpoint, configuration.DrainTimeout);
        StopRenewal(host);
        Follow(RetireAsync(registry.PoolsOf(host)));
    }

    private void OnKept(HostConfiguration before, HostConfiguration after)
    {
        if (!after.ServesAs(before))
        {
            counters.Count(RouterEvent.HostReassigned);
            Log.HostReassigned(logger, after.Name, string.Join(", ", after.Groups), after.Weight);
        }

        if (_renewals.TryGetValue(after.Index, out var renewal) && after.IsReachedAs(renewal.Host) && after.ServesAs(renewal.Host)) return;
        StopRenewal(before);
        if (after.IsReachedAs(before)) return;
        var superseded = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        _renewals[after.Index] = (after, superseded);
        Follow(RenewAsync(after, superseded.Token));
    }

    private void StopRenewal(HostConfiguration host)
    {
        if (!_renewals.Remove(host.Index, out var renewal)) return;
        renewal.Superseded.Cancel();
        renewal.Superseded.Dispose();
    }

    private async Task RetireAsync(HostPools pools)
    {
        await time.YieldAsync().ConfigureAwait(false);
        await pools.Monitor.DisposeAsync().ConfigureAwait(false);
        await drain.RunAsync(pools.Host.Name, [.. pools.Sources], _stop.Token).ConfigureAwait(false);
        registry.Remove(pools);
        lock (_lock)
        {
            _taken &= ~pools.Host.Bit;
            counters.Forget(pools.Host.Name, pools.All.Select(pool => pool.Commands), isNameFree: store.Current.Hosts.All(host => host.Name != pools.Host.Name));
        }
    }

    /// <summary>Switches to new connection settings once the host accepts them, so callers never notice which changes first: the role's password or our configuration.</summary>
    private async Task RenewAsync(HostConfiguration host, CancellationToken superseded)
    {
        await time.YieldAsync().ConfigureAwait(false);
        var probe = createProbe(host);
        for (var isFirst = true; await RefusalAsync(probe, host, superseded).ConfigureAwait(false) is { } refusal; isFirst = false)
        {
            if (isFirst) Log.RenewalRefused(logger, host.Name, refusal.Message);
            await Task.Delay(configuration.Health.Interval, time, superseded).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (Renew(host, probe, superseded) is not { } former)
        {
            await probe.DisposeAsync().ConfigureAwait(false);
            return;
        }

        counters.Count(RouterEvent.HostReconnected);
        Log.HostReconnected(logger, host.Name, configuration.DrainTimeout);
        registry.MonitorOf(host).Wake();
        await drain.RunAsync(host.Name, former, _stop.Token).ConfigureAwait(false);
        foreach (var source in former) source.Pool.Forget(source);
    }

    /// <returns>The former data sources; null if the host was reconfigured or removed meanwhile: the last configuration wins, whichever the host accepts first.</returns>
    private IReadOnlyList<HostDataSource>? Renew(HostConfiguration host, IHostProbe probe, CancellationToken superseded)
    {
        lock (_lock)
        {
            if (superseded.IsCancellationRequested) return null;
            if (_renewals.Remove(host.Index, out var renewal)) renewal.Superseded.Dispose();
            registry.PoolsOf(host).Host = host;
            store.Update(current => current.WithHosts([.. current.Hosts.Select(known => known.Configuration.Index == host.Index ? host : known.Configuration)], time));
            return registry.PoolsOf(host).Renew(probe);
        }
    }

    /// <returns>Why the host refuses the new settings; null if it accepts them, is not there to refuse them, or was reconfigured or removed.</returns>
    private async Task<HostFailure?> RefusalAsync(IHostProbe probe, HostConfiguration host, CancellationToken superseded)
    {
        if (superseded.IsCancellationRequested) return null;
        var login = probe.LoginAsync(superseded);
        if (!await login.EndsWithinAsync(configuration.Health.Timeout, time, superseded).ConfigureAwait(false)) login.Forget();
        var failure = !superseded.IsCancellationRequested && login.Exception is { } e ? FailureClassifier.Describe(e.InnerException!, host) : null;
        return failure is { Kind: FailureKind.Misconfigured or FailureKind.NoPassword } ? failure : null;
    }

    private void Follow(Task task)
    {
        lock (_lock) _underWay.Add(task);
        _ = task.ContinueWith(ended =>
        {
            lock (_lock) _underWay.Remove(ended);
            if (ended.Exception is { } e) Log.ChangeFailed(logger, e.InnerException!);
        }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
