using System.Runtime.CompilerServices;
using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>What is known about each physical connection of a pool, while it exists.</summary>
internal sealed class LoginLedger(TimeProvider time)
{
    // Keyed by an object that belongs to the physical connection.
    private readonly ConditionalWeakTable<object, Login> _logins = [];

    /// <summary>The process ids of backends that have identified their server, and may still exist.</summary>
    public IEnumerable<int> Backends => _logins.Where(login => login.Value.Answer is not null).Select(login => login.Value.Backend);

    /// <summary>Records a connection that has just logged in.</summary>
    public Login Begin(NpgsqlConnection connection)
    {
        var login = new Login(connection.ProcessID) { UsedAt = time.Coarse() };
        _logins.AddOrUpdate(ConnectionSocket.OwnerOf(connection), login);
        return login;
    }

    /// <summary>Returns what is known about an open connection; null if its pool is the application's own.</summary>
    public Login? Find(NpgsqlConnection connection) => _logins.TryGetValue(ConnectionSocket.OwnerOf(connection), out var login) ? login : null;

    /// <summary>Returns what the server reported at the connection's login. Asks now if it was not asked then.</summary>
    /// <remarks>
    /// A live pooled connection leads to the same run of the same server as at its login, wherever its address leads by now. So the position reported then, and every later
    /// one of that run, is a lower bound of what the connection shows.
    /// </remarks>
    public async ValueTask<HostAnswer> OfAsync(NpgsqlConnection connection, bool async)
    {
        var login = Find(connection) ?? Begin(connection);
        if (login.Answer is { } known) return known;
        CommandFlow.Current.Value = CommandFlow.Uncounted;   // in this method's own context, which ends with it
        var now = time.GetTimestamp();
        return login.Answer = await HostQuestion.AskAsync(connection, now, connection.ConnectionTimeout, async, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>One physical connection, and the process id of its backend.</summary>
    internal sealed class Login(int backend)
    {
        public int Backend => backend;

        /// <summary>When a caller last got it, by the coarse clock.</summary>
        public long UsedAt { get; set; }

        public HostAnswer? Answer { get; set; }
    }
}
