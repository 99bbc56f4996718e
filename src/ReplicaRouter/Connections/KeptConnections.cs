using Npgsql;

namespace ReplicaRouter;

/// <summary>
/// Closed connections of one caller who opens one at a time, again and again: opened anew, a connection brings along its command and what else it
/// has allocated once. Not thread-safe.
/// </summary>
internal sealed class KeptConnections
{
    private readonly List<(HostPool Pool, NpgsqlConnection Connection)> _closed = new(1);
    private HostPool? _pool;
    private NpgsqlConnection? _taken;

    /// <summary>A closed connection of the pool.</summary>
    public NpgsqlConnection Take(HostPool pool)
    {
        _pool = pool;
        for (var i = 0; i < _closed.Count; i++)
        {
            if (!ReferenceEquals(_closed[i].Pool, pool)) continue;
            _taken = _closed[i].Connection;
            _closed.RemoveAt(i);
            return _taken;
        }

        return _taken = pool.CreateConnection();
    }

    /// <summary>Keeps a closed connection, if it is the one that was taken last; others have told somebody what they are used for.</summary>
    /// <returns>Whether it is kept.</returns>
    public bool TryReturn(NpgsqlConnection connection)
    {
        if (!ReferenceEquals(connection, _taken)) return false;
        _closed.Add((_pool!, connection));
        (_pool, _taken) = (null, null);
        return true;
    }
}
