using System.Collections.Immutable;

namespace ReplicaRouter.Pools;

/// <summary>All pools to one host. One per route, because routes differ in pool size, time-outs, application name and rights.</summary>
internal sealed class HostPools
{
    private readonly DataSourceFactory _factory;
    private readonly CommandListener _listener;
    private readonly TimeProvider _time;
    private HostConfiguration _host;
    private ImmutableArray<HostPool> _further = [];

    public HostPools(HostConfiguration host, HostLoad load, RouterConfiguration configuration, DataSourceFactory factory, CommandListener listener, TimeProvider time)
    {
        (_host, _factory, _listener, _time) = (host, factory, listener, time);
        Name = configuration.Name is { } router ? $"{router}/{host.Name}" : host.Name;
        Faults = new HostFaults(time);
        Load = load;
        All = [.. configuration.Routes.Select(plan => new HostPool(this, plan))];
    }

    /// <summary>The host's current configuration.</summary>
    public HostConfiguration Host
    {
        get => Volatile.Read(ref _host);
        set => Volatile.Write(ref _host, value);
    }

    /// <summary>Prefix of its pools' names in Npgsql's metrics; unique among an application's routers.</summary>
    public string Name { get; }

    public HostLoad Load { get; }
    public required RenewableProbe Probe { get; init; }
    public required HostMonitor Monitor { get; init; }

    /// <summary>Lets operations wait until positions are replayed there.</summary>
    public required ReplayWaiter Replay { get; init; }

    /// <summary>Statements that failed on the host and succeeded on another.</summary>
    public HostFaults Faults { get; }

    /// <summary>Raised when the host is found to hang or to be gone.</summary>
    public HostSignal Lost { get; } = new();

    /// <summary>Raised when it is no longer useful to wait for a login.</summary>
    public HostSignal LoginsRefused { get; } = new();

    /// <summary>
    /// Raised when work that can write must be checked: another host has replaced this one as the primary, or a new login has reached this one, so that older connections may
    /// have fallen silent.
    /// </summary>
    public HostSignal Superseded { get; } = new();

    /// <summary>The pools to the database of the connection string, by route.</summary>
    public ImmutableArray<HostPool> All { get; }

    /// <summary>The pools to all databases.</summary>
    public IEnumerable<HostPool> Everything => _further.Length == 0 ? All : All.Concat(_further);

    /// <summary>Adds a pool to an additional database.</summary>
    public HostPool Add(RoutePlan plan)
    {
        var pool = new HostPool(this, plan);
        ImmutableInterlocked.Update(ref _further, further => further.Add(pool));
        return pool;
    }

    /// <summary>Removes a pool to an additional database.</summary>
    public void Remove(HostPool pool) => ImmutableInterlocked.Update(ref _further, further => further.Remove(pool));

    /// <summary>Creates a data source for the host's current configuration, and listens to it.</summary>
    public HostDataSource NewSource(HostPool pool)
    {
        var source = new HostDataSource(pool, _factory, _time);
        _listener.Add(source);
        return source;
    }

    /// <summary>The current data sources, and former ones that can have connections in use.</summary>
    public IEnumerable<HostDataSource> Sources => Everything.SelectMany(pool => pool.Sources);

    /// <summary>Closes connections to a server that is gone or has changed its role.</summary>
    public void Clear()
    {
        foreach (var pool in Everything) pool.Source.Clear();
    }

    /// <summary>Has Npgsql reload the database's types where they have changed.</summary>
    public void KnowTypes(long types)
    {
        Volatile.Write(ref _types, types);
        // Only for the database that probes use. Pools to additional databases load them when they are recreated after disuse.
        foreach (var source in All.SelectMany(pool => pool.Sources)) source.KnowTypes(types);
    }

    /// <summary>A hash that changes with the database's types; 0 before they are known.</summary>
    public long Types => Volatile.Read(ref _types);
    private long _types;

    /// <summary>Switches new connections to the host's current configuration.</summary>
    /// <param name="probe">A probe with that configuration.</param>
    /// <returns>The former data sources.</returns>
    public IReadOnlyList<HostDataSource> Renew(IHostProbe probe)
    {
        Probe.Renew(probe);
        return [.. Everything.Select(pool => pool.Renew())];
    }
}
