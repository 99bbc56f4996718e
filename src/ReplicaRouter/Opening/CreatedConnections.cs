using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;

namespace ReplicaRouter.Opening;

/// <summary>Connections that callers open themselves, when and as often as they like: each opening leads to a host that may serve at that moment.</summary>
/// <remarks>
/// An <see cref="NpgsqlConnection"/> belongs to one pool from its creation on. A library that keeps one and opens it again and again would follow no failover. So
/// while it is closed it is given another pool, when it was closed or the hosts that may serve have changed.
/// </remarks>
internal sealed class CreatedConnections
{
    private readonly ConditionalWeakTable<NpgsqlConnection, CreatedConnection> _all = [];
    private readonly HostChooser _chooser;

    public CreatedConnections(HostChooser chooser, TopologyStore store)
    {
        _chooser = chooser;
        store.Changed += OnChanged;
    }

    /// <summary>Has a connection, which is closed, be led elsewhere from now on.</summary>
    public void Add(NpgsqlConnection connection, CreatedConnection created)
    {
        _all.Add(connection, created);
        connection.StateChange += (sender, change) =>
        {
            if (change.CurrentState == ConnectionState.Closed) created.Lead((NpgsqlConnection)sender, _chooser);
        };
    }

    /// <summary>The further databases that connections lead to which callers still hold.</summary>
    public IReadOnlySet<DatabasePools> Databases() => _all.Select(each => each.Value.Database).OfType<DatabasePools>().ToHashSet();

    private void OnChanged(TopologySnapshot before, TopologySnapshot after)
    {
        if (Serving(before) == Serving(after) && before.Primary?.Configuration == after.Primary?.Configuration) return;
        foreach (var (connection, created) in _all) created.Lead(connection, _chooser);
    }

    private static ulong Serving(TopologySnapshot topology) => topology.Hosts.Aggregate(0UL, (serving, host) => host.IsServing ? serving | host.Configuration.Bit : serving);
}

/// <summary>Where one connection leads that its caller opens himself.</summary>
/// <param name="source">Where it leads at first.</param>
/// <param name="bind">Gives what binds the caller's session to a pool's host, if there is a session.</param>
internal sealed class CreatedConnection(HostDataSource source, Func<HostPool, SessionConnection?> bind)
{
    private readonly Lock _lock = new();
    private HostDataSource _source = source;
    private SessionConnection? _binding = bind(source.Pool);
    private HostDataSource? _opened;

    /// <summary>The further database that it leads to; null for the one of the connection strings.</summary>
    public Database? Database { get; } = source.Pool.Plan.Database;

    /// <summary>Leads it, if it is closed, to the host that may serve its route now.</summary>
    public void Lead(NpgsqlConnection connection, HostChooser chooser)
    {
        lock (_lock)
        {
            if (connection.FullState != ConnectionState.Closed || chooser.TryChoosePlain(_source.Pool.Plan)?.Source is not { } next || next == _source) return;
            if (!PoolOfConnection.TrySet(connection, next.Value)) return;
            (_source, _binding) = (next, bind(next.Pool));
        }
    }

    public void OnStateChange(object sender, StateChangeEventArgs change)
    {
        // Between its closing and the note of it, it may be led elsewhere.
        if (change.CurrentState == ConnectionState.Open) _opened = _source;
        (_opened ?? _source).OnStateChange(sender, change);
        _binding?.OnStateChange(sender, change);
    }
}
