using Npgsql;

namespace ReplicaRouter.Opening;

/// <summary>Verifies that a connection to a replica shows what a session needs, by <see cref="ConnectionProof"/> and, if that is not enough yet, by another probe.</summary>
internal static class ReplicaProof
{
    public static async ValueTask<bool> HoldsAsync(
        SessionState session, TopologyStore store, HostPool pool, NpgsqlConnection replica, bool async, CancellationToken cancellationToken)
    {
        var login = await pool.Source.Logins.OfAsync(replica, async).ConfigureAwait(false);
        if (ConnectionProof.Holds(session, store.Current, pool.Host, login)) return true;
        // The login can be newer than the last answer to a probe; another answer can prove it.
        var asking = pool.Owner.Monitor.ProbeNowAsync().WaitAsync(cancellationToken);
        if (async) await asking.ConfigureAwait(false);
        else asking.GetAwaiter().GetResult();
        return ConnectionProof.Holds(session, store.Current, pool.Host, login);
    }
}
