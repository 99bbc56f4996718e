using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Pools;

/// <summary>What lives beside the snapshots, by the index of each host: its pools, its load, and who watches it.</summary>
/// <remarks>
/// Read without a lock. A host stands here before a snapshot names it, and stays when none does any more, until another host is given its index: whoever
/// goes by an older snapshot still finds it.
/// </remarks>
internal sealed class Fleet(
    RouterConfiguration configuration, TopologyStore store, CommandListener listener, Func<HostConfiguration, IHostProbe> createProbe,
    DataSourceFactory factory, TimeProvider time, Random random, ILogger logger)
{
    private readonly HostPools[] _pools = new HostPools[RouterConfiguration.MostHosts];
    private readonly HostPool[][] _poolsByRoute = [.. configuration.Routes.Select(_ => new HostPool[RouterConfiguration.MostHosts])];
    private readonly HostLoad[] _loads = new HostLoad[RouterConfiguration.MostHosts];
    private readonly OutlierEjection[] _ejections = [.. configuration.Routes.Select(_ => new OutlierEjection(time, EjectionSettings.Default))];
    private ImmutableArray<HostPools> _all = [];

    /// <summary>Called with each sample of a host's speed: its index, the route, and what a command took in ms.</summary>
    public Action<int, int, double>? Measured { get; init; }

    /// <summary>What each host has to do, by its index.</summary>
    public ReadOnlySpan<HostLoad> Loads => _loads;

    /// <summary>All hosts, also those that were removed and have connections in use.</summary>
    public ImmutableArray<HostPools> All => _all;

    /// <summary>The hosts that there are, as the snapshot of this moment says.</summary>
    public IEnumerable<HostPools> Hosts => store.Current.Hosts.Select(host => PoolsOf(host.Configuration));

    /// <summary>A route's pool to the host of an index. The host comes last, as who chooses one at random has nothing else to wait for then.</summary>
    public HostPool PoolAt(int index, RoutePlan plan) => plan.Database is DatabasePools database ? database.PoolAt(index, plan, _pools[index]) : _poolsByRoute[plan.Index][index];

    public HostPools PoolsOf(HostConfiguration host) => _pools[host.Index];

    public HostMonitor MonitorOf(HostConfiguration host) => PoolsOf(host).Monitor;

    /// <summary>Prepares for a host that no snapshot names yet. It is watched once its monitor is started.</summary>
    public void Add(HostConfiguration host)
    {
        var probe = new RenewableProbe(createProbe(host));
        var load = new HostLoad(host.Index, _ejections, time) { Measured = (route, milliseconds) => Measured?.Invoke(host.Index, route, milliseconds) };
        // The index may have been another host's before.
        load.ForgetLatency();
        var monitor = new HostMonitor(host, probe, store, configuration.Health, time, random, logger) { Answered = load.RecordProbe };
        var pools = new HostPools(host, load, configuration, factory, listener, time) { Monitor = monitor, Probe = probe, Replay = new ReplayWaiter(monitor, store, time) };
        _loads[host.Index] = load;
        _pools[host.Index] = pools;
        foreach (var pool in pools.All) _poolsByRoute[pool.Plan.Index][host.Index] = pool;
        ImmutableInterlocked.Update(ref _all, all => all.Add(pools));
    }

    /// <summary>Forgets a host whose connections are closed.</summary>
    public void Remove(HostPools pools)
    {
        listener.Remove(pools.Sources);
        pools.Load.ForgetLatency();
        ImmutableInterlocked.Update(ref _all, all => all.Remove(pools));
    }

    /// <summary>Has several hosts probed now.</summary>
    /// <param name="hosts">Which of them, one bit each.</param>
    public void Wake(ulong hosts)
    {
        foreach (var monitor in MonitorsOf(hosts)) monitor.Wake();
    }

    /// <summary>Asks several hosts at once.</summary>
    /// <inheritdoc cref="Wake" path="/param"/>
    public Task AskAsync(ulong hosts) => Task.WhenAll(MonitorsOf(hosts).Select(monitor => monitor.AskAsync()));

    private IEnumerable<HostMonitor> MonitorsOf(ulong hosts) =>
        store.Current.Hosts.Where(host => (hosts & host.Configuration.Bit) != 0).Select(host => MonitorOf(host.Configuration));
}
