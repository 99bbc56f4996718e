namespace ReplicaRouter.Pools;

/// <summary>The pools of a further database, by route and host, as far as it was used lately.</summary>
internal sealed class DatabasePools(string name, int routes, TimeProvider time) : Database(name)
{
    private readonly HostPool?[][] _pools = [.. Enumerable.Range(0, routes).Select(_ => new HostPool?[RouterConfiguration.MostHosts])];
    private readonly Lock _lock = new();
    private volatile HostPool[] _made = [];
    private long _usedAt;

    /// <summary>When a host was chosen for it last, or a command of its ended, by the coarse clock.</summary>
    public long UsedAt => Volatile.Read(ref _usedAt);

    /// <summary>Its pools that there are.</summary>
    public IReadOnlyList<HostPool> Pools => _made;

    /// <summary>Notes that it is in use.</summary>
    public void Use()
    {
        var now = time.Coarse();
        if (Volatile.Read(ref _usedAt) != now) Volatile.Write(ref _usedAt, now);
    }

    public HostPool PoolAt(int index, RoutePlan plan, HostPools host)
    {
        Use();
        // Another host may have been given the index.
        return Volatile.Read(ref _pools[plan.Index][index]) is { } known && known.Owner == host ? known : Add(index, plan, host);
    }

    /// <summary>Forgets its pools: the next use makes others.</summary>
    /// <returns>Those that there were.</returns>
    public IReadOnlyList<HostPool> Forget()
    {
        lock (_lock)
        {
            var former = _made;
            _made = [];
            foreach (var route in _pools) Array.Clear(route);
            return former;
        }
    }

    private HostPool Add(int index, RoutePlan plan, HostPools host)
    {
        lock (_lock)
        {
            if (_pools[plan.Index][index] is { } known && known.Owner == host) return known;
            var pool = host.Add(plan);
            // What another host left in its place stands here as well, until all are forgotten.
            _made = [.. _made, pool];
            Volatile.Write(ref _pools[plan.Index][index], pool);
            return pool;
        }
    }
}
