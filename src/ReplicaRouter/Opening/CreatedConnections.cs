using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;

namespace ReplicaRouter.Opening;

/// <summary>Connections that callers open themselves, at any time and repeatedly. Each opening leads to a host that is eligible at that moment.</summary>
/// <remarks>
/// An <see cref="NpgsqlConnection"/> belongs to one pool from its creation. A library that keeps one and reopens it would not follow a failover. So a closed connection
/// is moved to another pool, when it is closed and when the set of serving hosts or the primary changes.
/// </remarks>
internal sealed class CreatedConnections(HostChooser chooser)
{
    private readonly ConditionalWeakTable<NpgsqlConnection, CreatedConnection> _all = [];

    /// <summary>Starts to move a connection, which must be closed, between pools.</summary>
    public void Add(NpgsqlConnection connection, CreatedConnection created)
    {
        _all.Add(connection, created);
        connection.StateChange += (sender, change) =>
        {
            if (change.CurrentState == ConnectionState.Closed) created.Lead((NpgsqlConnection)sender, chooser);
        };
    }

    /// <summary>Returns the additional databases of all connections that callers still hold.</summary>
    public IReadOnlySet<DatabasePools> Databases() => _all.Select(each => each.Value.Database).OfType<DatabasePools>().ToHashSet();

    public void OnChanged(TopologySnapshot before, TopologySnapshot after)
    {
        if (Serving(before) == Serving(after) && before.Primary?.Configuration == after.Primary?.Configuration) return;
        foreach (var (connection, created) in _all) created.Lead(connection, chooser);
    }

    private static ulong Serving(TopologySnapshot topology) => topology.Hosts.Aggregate(0UL, (serving, host) => host.IsServing ? serving | host.Configuration.Bit : serving);
}

/// <summary>The current target of one connection that its caller opens.</summary>
/// <param name="source">The initial pool.</param>
/// <param name="bind">Binds the caller's session to a pool's host; returns null without a session.</param>
internal sealed class CreatedConnection(HostDataSource source, Func<HostPool, SessionConnection?> bind)
{
    private readonly Lock _lock = new();
    private HostDataSource _source = source;
    private SessionConnection? _binding = bind(source.Pool);
    private HostDataSource? _opened;

    /// <summary>The additional database; null for the one in the connection strings.</summary>
    public Database? Database { get; } = source.Pool.Plan.Database;

    /// <summary>Moves the connection, if it is closed, to a host that is eligible for its route now.</summary>
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
        // Between its closing and this event, it can have been moved to another pool.
        if (change.CurrentState == ConnectionState.Open) _opened = _source;
        (_opened ?? _source).OnStateChange(sender, change);
        _binding?.OnStateChange(sender, change);
    }
}
