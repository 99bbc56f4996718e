using System.Collections.Immutable;

namespace ReplicaRouter.Pools;

/// <summary>All pools to one host, one a route, because routes differ in pool size, time-outs, application name and rights.</summary>
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

    /// <summary>The host as it is configured now.</summary>
    public HostConfiguration Host
    {
        get => Volatile.Read(ref _host);
        set => Volatile.Write(ref _host, value);
    }

    /// <summary>What the names of its pools in Npgsql's metrics begin with: no two routers of an application share one.</summary>
    public string Name { get; }

    public HostLoad Load { get; }

    /// <summary>How the host is probed.</summary>
    public required RenewableProbe Probe { get; init; }

    /// <summary>Who watches the host.</summary>
    public required HostMonitor Monitor { get; init; }

    /// <summary>The operations that wait for positions to be replayed there.</summary>
    public required ReplayWaiter Replay { get; init; }

    /// <summary>Statements that failed on the host and were answered by another one.</summary>
    public HostFaults Faults { get; }

    /// <summary>Commands run so far.</summary>
    public long Commands => All.Sum(pool => pool.Commands);

    /// <summary>Raised when the host is found to hang, or to be gone.</summary>
    public Alarm Lost { get; } = new();

    /// <summary>Raised when there is no use in waiting for a login any more.</summary>
    public Alarm LoginsRefused { get; } = new();

    /// <summary>Raised when work that may write has to be looked at: another host is the primary in this one's place, or this one was reached by a new login while a connection of before was silent.</summary>
    public Alarm Superseded { get; } = new();

    /// <summary>The pools to the database of the connection string, by route.</summary>
    public ImmutableArray<HostPool> All { get; }

    /// <summary>The pools to all databases.</summary>
    public IEnumerable<HostPool> Everything => _further.Length == 0 ? All : All.Concat(_further);

    /// <summary>Adds a pool to a further database.</summary>
    public HostPool Add(RoutePlan plan)
    {
        var pool = new HostPool(this, plan);
        ImmutableInterlocked.Update(ref _further, further => further.Add(pool));
        return pool;
    }

    /// <summary>Forgets a pool to a further database.</summary>
    public void Remove(HostPool pool) => ImmutableInterlocked.Update(ref _further, further => further.Remove(pool));

    /// <summary>One of Npgsql's pools to the host as it is configured now, which is listened to.</summary>
    public HostDataSource NewSource(HostPool pool)
    {
        var source = new HostDataSource(pool, _factory, _time);
        _listener.Add(source);
        return source;
    }

    /// <summary>Connections in use, logins under way among them, as Npgsql counted them when it was asked last.</summary>
    public int InUse => Everything.Sum(pool => pool.Busy);

    /// <summary>What the connections to the host are taken from, and were before.</summary>
    public IEnumerable<HostDataSource> Sources => Everything.SelectMany(pool => pool.Sources);

    /// <summary>Drops what leads to a server that is gone, or that has become something else.</summary>
    public void Clear()
    {
        foreach (var pool in Everything) pool.Clear();
    }

    /// <summary>Has Npgsql load the types again, where it has loaded others than are there now.</summary>
    public void KnowTypes(long types)
    {
        Volatile.Write(ref _types, types);
        // Those of the database that probes ask. Further ones load theirs again when they are used again after a while.
        foreach (var source in All.SelectMany(pool => pool.Sources)) source.KnowTypes(types);
    }

    /// <summary>A number that differs where the database's types do; 0 before they are known.</summary>
    public long Types => Volatile.Read(ref _types);
    private long _types;

    /// <summary>Takes new connections to the host as it is configured now.</summary>
    /// <param name="probe">Probes it likewise.</param>
    /// <returns>What its connections were taken from before.</returns>
    public IReadOnlyList<HostDataSource> Renew(IHostProbe probe)
    {
        Probe.Renew(probe);
        return [.. Everything.Select(pool => pool.Renew())];
    }
}
