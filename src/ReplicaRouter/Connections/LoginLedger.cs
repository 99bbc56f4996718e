using System.Collections.Concurrent;
using Npgsql;

namespace ReplicaRouter;

/// <summary>What a server said of itself at the login of each physical connection of a pool.</summary>
/// <remarks>
/// A pooled connection that is alive leads to the same run of the same server as at its login, whatever its address leads to by now. So
/// the position that it showed then, and every later one of that run, is a lower bound of what it shows.
/// </remarks>
internal sealed class LoginLedger(TimeProvider time)
{
    /// <summary>Nobody tells us when a physical connection is gone, so entries pile up until all go; whoever then misses one asks again.</summary>
    private const int Capacity = 4096;

    // By the backend's process id. The id of a process that is gone may come again, but only by a login that overwrites it.
    private readonly ConcurrentDictionary<int, HostAnswer> _logins = new();

    /// <summary>The backends that were logged in to and may still be there.</summary>
    public ICollection<int> Backends => _logins.Keys;

    /// <summary>The same without asking; null when it is not known.</summary>
    public HostAnswer? Known(NpgsqlConnection connection) => _logins.GetValueOrDefault(connection.ProcessID);

    /// <summary>What the server said at the login of a connection.</summary>
    public HostAnswer Of(NpgsqlConnection connection) => _logins.TryGetValue(connection.ProcessID, out var login) ? login : Record(connection);

    /// <inheritdoc cref="Of"/>
    public ValueTask<HostAnswer> OfAsync(NpgsqlConnection connection) =>
        _logins.TryGetValue(connection.ProcessID, out var login) ? new(login) : new(RecordAsync(connection));

    public HostAnswer Record(NpgsqlConnection connection)
    {
        var flow = CommandFlow.Current.Value;
        CommandFlow.Current.Value = CommandFlow.Uncounted;
        try
        {
            return Add(connection, HostQuestion.Ask(connection, time.GetTimestamp()));
        }
        finally
        {
            CommandFlow.Current.Value = flow;
        }
    }

    public async Task<HostAnswer> RecordAsync(NpgsqlConnection connection)
    {
        CommandFlow.Current.Value = CommandFlow.Uncounted;   // in this method's own context, which ends with it
        return Add(connection, await HostQuestion.AskAsync(connection, time.GetTimestamp(), connection.ConnectionTimeout, CancellationToken.None).ConfigureAwait(false));
    }

    private HostAnswer Add(NpgsqlConnection connection, HostAnswer answer)
    {
        if (_logins.Count >= Capacity) _logins.Clear();
        _logins[connection.ProcessID] = answer;
        return answer;
    }
}
