using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Pools;

/// <summary>The mutable state beside the snapshots, by host index: each host's pools, load and monitor.</summary>
/// <remarks>
/// Read without a lock. A host is added before a snapshot names it, and stays after no snapshot does until its index is reused, so that readers of an older snapshot
/// still find it.
/// </remarks>
internal sealed class HostRegistry(
    RouterConfiguration configuration, TopologyStore store, CommandListener listener, Func<HostConfiguration, IHostProbe> createProbe,
    DataSourceFactory factory, TimeProvider time, Random random, ILogger logger)
{
    private readonly HostPools[] _pools = new HostPools[RouterConfiguration.MostHosts];
    private readonly HostPool[][] _poolsByRoute = [.. configuration.Routes.Select(_ => new HostPool[RouterConfiguration.MostHosts])];
    private readonly HostLoad[] _loads = new HostLoad[RouterConfiguration.MostHosts];
    private readonly OutlierEjection[] _ejections = [.. configuration.Routes.Select(_ => new OutlierEjection(time, EjectionSettings.Default))];
    private ImmutableArray<HostPools> _all = [];

    /// <summary>Called with each latency sample: host index, route, and duration in ms.</summary>
    public Action<int, int, double>? Measured { get; init; }

    /// <summary>Each host's load, by its index.</summary>
    public ReadOnlySpan<HostLoad> Loads => _loads;

    /// <summary>All hosts, including removed ones with connections in use.</summary>
    public ImmutableArray<HostPools> All => _all;

    /// <summary>The hosts of the current snapshot.</summary>
    public IEnumerable<HostPools> Hosts => store.Current.Hosts.Select(host => PoolsOf(host.Configuration));

    /// <summary>Returns a route's pool to a host. The host comes last in the look-up, so that the rest is already loaded when a random choice of a host is known.</summary>
    public HostPool PoolAt(int index, RoutePlan plan) => plan.Database is DatabasePools database ? database.PoolAt(index, plan, _pools[index]) : _poolsByRoute[plan.Index][index];

    public HostPools PoolsOf(HostConfiguration host) => _pools[host.Index];

    public HostMonitor MonitorOf(HostConfiguration host) => PoolsOf(host).Monitor;

    /// <summary>Adds a host that no snapshot names yet. Probing begins when its monitor is started.</summary>
    public void Add(HostConfiguration host)
    {
        var probe = new RenewableProbe(createProbe(host));
        var load = new HostLoad(host.Index, _ejections, time) { Measured = (route, milliseconds) => Measured?.Invoke(host.Index, route, milliseconds) };
        // The index can have belonged to another host.
        load.ForgetLatency();
        var monitor = new HostMonitor(host, probe, store, configuration.Health, time, random, logger) { Answered = load.RecordProbe };
        var pools = new HostPools(host, load, configuration, factory, listener, time) { Monitor = monitor, Probe = probe, Replay = new ReplayWaiter(monitor, store, time) };
        _loads[host.Index] = load;
        _pools[host.Index] = pools;
        foreach (var pool in pools.All) _poolsByRoute[pool.Plan.Index][host.Index] = pool;
        ImmutableInterlocked.Update(ref _all, all => all.Add(pools));
    }

    /// <summary>Removes a host whose connections are closed.</summary>
    public void Remove(HostPools pools)
    {
        listener.Remove(pools.Sources);
        pools.Load.ForgetLatency();
        ImmutableInterlocked.Update(ref _all, all => all.Remove(pools));
    }

    /// <summary>Requests a probe of several hosts now, without waiting for it.</summary>
    /// <param name="hosts">The hosts, one bit each.</param>
    public void Wake(ulong hosts)
    {
        foreach (var monitor in MonitorsOf(hosts)) monitor.Wake();
    }

    /// <summary>Probes several hosts at once, and waits for the answers.</summary>
    /// <inheritdoc cref="Wake" path="/param"/>
    public Task ProbeNowAsync(ulong hosts) => Task.WhenAll(MonitorsOf(hosts).Select(monitor => monitor.ProbeNowAsync()));

    private IEnumerable<HostMonitor> MonitorsOf(ulong hosts) =>
        store.Current.Hosts.Where(host => (hosts & host.Configuration.Bit) != 0).Select(host => MonitorOf(host.Configuration));
}
