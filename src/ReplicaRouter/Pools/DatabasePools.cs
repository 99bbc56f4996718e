namespace ReplicaRouter.Pools;

/// <summary>The pools of an additional database by route and host, while it is in use.</summary>
internal sealed class DatabasePools(string name, int routes, TimeProvider time) : Database(name)
{
    private readonly HostPool?[][] _pools = [.. Enumerable.Range(0, routes).Select(_ => new HostPool?[RouterConfiguration.MostHosts])];
    private readonly Lock _lock = new();
    private volatile HostPool[] _made = [];
    private long _usedAt;

    /// <summary>When a host was last chosen for it, or one of its commands last ended, by the coarse clock.</summary>
    public long UsedAt => Volatile.Read(ref _usedAt);

    /// <summary>The pools created so far.</summary>
    public IReadOnlyList<HostPool> Pools => _made;

    /// <summary>Records that it is in use.</summary>
    public void Use()
    {
        var now = time.Coarse();
        if (Volatile.Read(ref _usedAt) != now) Volatile.Write(ref _usedAt, now);
    }

    public HostPool PoolAt(int index, RoutePlan plan, HostPools host)
    {
        Use();
        // The index can have been reassigned to another host.
        return Volatile.Read(ref _pools[plan.Index][index]) is { } known && known.Owner == host ? known : Add(index, plan, host);
    }

    /// <summary>Forgets its pools; the next use creates new ones.</summary>
    /// <returns>The former pools.</returns>
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
            // The list keeps a pool of the index's former host until all are forgotten.
            _made = [.. _made, pool];
            Volatile.Write(ref _pools[plan.Index][index], pool);
            return pool;
        }
    }
}
