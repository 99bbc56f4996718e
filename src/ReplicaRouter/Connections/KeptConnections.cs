using Npgsql;

namespace ReplicaRouter;

/// <summary>
/// Closed connections of one caller who opens one at a time, again and again: opened anew, a connection brings along its command and what else it
/// has allocated once. Not thread-safe.
/// </summary>
internal sealed class KeptConnections
{
    // Most callers end with the first.
    private (HostPool Pool, NpgsqlConnection Connection)? _first;
    private List<(HostPool Pool, NpgsqlConnection Connection)>? _others;
    private HostPool? _pool;
    private NpgsqlConnection? _taken;

    /// <summary>A closed connection of the pool.</summary>
    public NpgsqlConnection Take(HostPool pool)
    {
        _pool = pool;
        return _taken = TakeClosed(pool) ?? pool.CreateConnection();
    }

    /// <summary>Keeps a closed connection, if it is the one that was taken last; others have told somebody what they are used for.</summary>
    /// <returns>Whether it is kept.</returns>
    public bool TryReturn(NpgsqlConnection connection)
    {
        if (!ReferenceEquals(connection, _taken)) return false;
        if (_first is null) _first = (_pool!, connection);
        else (_others ??= []).Add((_pool!, connection));
        (_pool, _taken) = (null, null);
        return true;
    }

    private NpgsqlConnection? TakeClosed(HostPool pool)
    {
        if (_first is { } first && ReferenceEquals(first.Pool, pool))
        {
            _first = null;
            return first.Connection;
        }

        for (var i = 0; i < _others?.Count; i++)
        {
            if (!ReferenceEquals(_others[i].Pool, pool)) continue;
            var connection = _others[i].Connection;
            _others.RemoveAt(i);
            return connection;
        }

        return null;
    }
}
