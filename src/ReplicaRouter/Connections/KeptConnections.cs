using Npgsql;

namespace ReplicaRouter;

/// <summary>
/// Closed connections of one caller who opens one at a time, again and again: opened anew, a connection brings along its command and what else it
/// has allocated once. Not thread-safe.
/// </summary>
internal sealed class KeptConnections
{
    // Most callers end with the first.
    private (HostDataSource Source, NpgsqlConnection Connection)? _first;
    private List<(HostDataSource Source, NpgsqlConnection Connection)>? _others;
    private HostDataSource? _source;
    private NpgsqlConnection? _taken;

    /// <summary>A closed connection of one of Npgsql's pools.</summary>
    public NpgsqlConnection Take(HostDataSource source)
    {
        _source = source;
        return _taken = TakeClosed(source) ?? source.Value.CreateConnection();
    }

    /// <summary>Keeps a closed connection, if it is the one that was taken last; others have told somebody what they are used for.</summary>
    /// <returns>Whether it is kept.</returns>
    public bool TryReturn(NpgsqlConnection connection)
    {
        if (!ReferenceEquals(connection, _taken)) return false;
        _source!.Unfollow(connection);
        if (_first is null) _first = (_source, connection);
        else (_others ??= []).Add((_source, connection));
        (_source, _taken) = (null, null);
        return true;
    }

    private NpgsqlConnection? TakeClosed(HostDataSource source)
    {
        if (_first is { } first && ReferenceEquals(first.Source, source))
        {
            _first = null;
            return first.Connection;
        }

        for (var i = 0; i < _others?.Count; i++)
        {
            if (!ReferenceEquals(_others[i].Source, source)) continue;
            var connection = _others[i].Connection;
            _others.RemoveAt(i);
            return connection;
        }

        return null;
    }
}
