using System.Runtime.CompilerServices;
using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>What is known of each physical connection of a pool, for as long as it lives.</summary>
internal sealed class LoginLedger(TimeProvider time)
{
    // By an object that belongs to the physical connection.
    private readonly ConditionalWeakTable<object, Login> _logins = [];

    /// <summary>The backends that have said what their server is, and may still be there.</summary>
    public IEnumerable<int> Backends => _logins.Where(login => login.Value.Answer is not null).Select(login => login.Value.Backend);

    /// <summary>Notes a connection that has just been logged in.</summary>
    public Login Begin(NpgsqlConnection connection)
    {
        var login = new Login(connection.ProcessID) { UsedAt = time.Coarse() };
        _logins.AddOrUpdate(ConnectionSocket.OwnerOf(connection), login);
        return login;
    }

    /// <summary>What is known of an open connection; null where its pool is the application's own.</summary>
    public Login? Find(NpgsqlConnection connection) => _logins.TryGetValue(ConnectionSocket.OwnerOf(connection), out var login) ? login : null;

    /// <summary>What the server said of itself at the login of a connection, asked now if it was not asked then.</summary>
    /// <remarks>
    /// A pooled connection that is alive leads to the same run of the same server as at its login, whatever its address leads to by now. So
    /// the position that it showed then, and every later one of that run, is a lower bound of what it shows.
    /// </remarks>
    public async ValueTask<HostAnswer> OfAsync(NpgsqlConnection connection, bool async)
    {
        var login = Find(connection) ?? Begin(connection);
        if (login.Answer is { } known) return known;
        CommandFlow.Current.Value = CommandFlow.Uncounted;   // in this method's own context, which ends with it
        var now = time.GetTimestamp();
        return login.Answer = async
            ? await HostQuestion.AskAsync(connection, now, connection.ConnectionTimeout, CancellationToken.None).ConfigureAwait(false)
            : HostQuestion.Ask(connection, now);
    }

    /// <summary>One physical connection.</summary>
    /// <param name="backend">The process that serves it.</param>
    internal sealed class Login(int backend)
    {
        public int Backend => backend;

        /// <summary>When a caller got it last, by the coarse clock.</summary>
        public long UsedAt { get; set; }

        public HostAnswer? Answer { get; set; }
    }
}
