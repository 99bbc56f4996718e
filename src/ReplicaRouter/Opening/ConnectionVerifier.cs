using System.Data;
using Npgsql;

namespace ReplicaRouter.Opening;

/// <summary>Makes sure that an open connection leads where the operation needs it to, and binds it to the operation's session.</summary>
internal sealed class ConnectionVerifier(RouterConfiguration configuration, TopologyStore store, PrimaryProof primaryProof, TimeProvider time)
{
    private const string StandbyQuestion = "SELECT pg_is_in_recovery()";

    /// <summary>Whether a connection of a writable route has to be asked first: the address may lead to another server by now, or a pooler to several.</summary>
    /// <remarks>
    /// Source: PostgreSQL manual, "Protocol Flow": from version 14 on a server reports <c>in_hot_standby</c> unasked. A pooler goes on to repeat what its
    /// server reported before it was promoted: only the server itself can tell.
    /// </remarks>
    public static bool IsInDoubt(RoutePlan plan, NpgsqlConnection connection) => !plan.IsReadOnly && connection.IsToStandby();

    /// <summary>Verifies and binds a connection. One that does not lead where it has to is closed, and its host left out of the operation's next choice.</summary>
    public async ValueTask<bool> TryBindAsync(Attempt attempt, HostPool pool, SessionDemand demand, NpgsqlConnection connection, bool async, CancellationToken cancellationToken)
    {
        var isBound = false;
        try
        {
            isBound = (!IsInDoubt(attempt.Plan, connection) || await IsPrimaryAsync(attempt, pool, connection, async, cancellationToken).ConfigureAwait(false))
                && (!NeedsProof(attempt, pool) || await IsProvenAsync(attempt, pool, connection, async, cancellationToken).ConfigureAwait(false))
                && (!primaryProof.IsNeeded(attempt, pool) || await ShowsAllAsync(attempt, pool, demand, connection, async, cancellationToken).ConfigureAwait(false));
            if (isBound) Bind(attempt, pool, demand, connection);
            return isBound;
        }
        finally
        {
            if (!isBound && async) await connection.DisposeAsync().ConfigureAwait(false);
            else if (!isBound) connection.Dispose();
        }
    }

    /// <summary>What has a session note what is done on a pool's connections; null where there is no session.</summary>
    public SessionConnection? NewBinding(Attempt attempt, HostPool pool) =>
        attempt.Session is { } session ? new SessionConnection(session, pool.Host, !attempt.Plan.IsReadOnly, store, time) : null;

    private async ValueTask<bool> IsPrimaryAsync(Attempt attempt, HostPool pool, NpgsqlConnection connection, bool async, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(StandbyQuestion, connection);
        await using var _ = command.ConfigureAwait(false);
        var answer = async ? await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) : command.ExecuteScalar();
        if (answer is false) return true;
        Exclude(attempt, pool, "led to a standby");
        pool.Clear();
        pool.Owner.Monitor.Wake();
        return false;
    }

    /// <summary>On the primary there is all that there is.</summary>
    private bool NeedsProof(Attempt attempt, HostPool pool) =>
        attempt is { Session: not null, Plan.IsReadOnly: true } && configuration.SessionWindow is null && store.Current.At(pool.Host.Index) is null or { Role: HostRole.Replica };

    private async ValueTask<bool> IsProvenAsync(Attempt attempt, HostPool pool, NpgsqlConnection connection, bool async, CancellationToken cancellationToken)
    {
        var login = await pool.Source.Logins.OfAsync(connection, async).ConfigureAwait(false);
        if (ConnectionProof.Holds(attempt.Session!, store.Current, pool.Host, login)) return true;
        // Newer than all that is known of the server: an answer may prove it still.
        var asking = pool.Owner.Monitor.AskAsync().WaitAsync(cancellationToken);
        if (async) await asking.ConfigureAwait(false);
        else asking.GetAwaiter().GetResult();
        if (ConnectionProof.Holds(attempt.Session!, store.Current, pool.Host, login)) return true;

        // The server has crashed since, or the address leads to another one. This operation goes elsewhere.
        attempt.Session!.Release();
        Exclude(attempt, pool, "led to a server that is not proven to show what the session needs");
        return false;
    }

    /// <summary>What the primary hides from a session that has read it on a replica, another replica may show; else the primary is tried again once it has answered a probe.</summary>
    private async ValueTask<bool> ShowsAllAsync(Attempt attempt, HostPool pool, SessionDemand demand, NpgsqlConnection connection, bool async, CancellationToken cancellationToken)
    {
        var proof = primaryProof.HoldsAsync(attempt, pool, demand, connection, cancellationToken);
        if (async ? await proof.ConfigureAwait(false) : proof.GetAwaiter().GetResult()) return true;
        Exclude(attempt, pool, "hides a commit that the session has read on a replica, until its synchronous standby confirms it");
        pool.Owner.Monitor.Wake();
        return false;
    }

    private void Exclude(Attempt attempt, HostPool pool, string reason) =>
        attempt.Exclude(pool.Host, new NpgsqlException($"{pool.Host.Endpoint} {reason}."), time.GetTimestamp(), reason);

    /// <summary>Has the session, and what counts places on the primary, note when a connection is closed.</summary>
    private void Bind(Attempt attempt, HostPool pool, in SessionDemand demand, NpgsqlConnection connection)
    {
        if (NewBinding(attempt, pool) is { } binding)
        {
            binding.Begin(demand.Timeline);
            connection.StateChange += binding.OnStateChange;
        }

        if (attempt.Ticket is not { } ticket) return;
        attempt.Ticket = null;
        connection.StateChange += (_, change) =>
        {
            if (change.OriginalState == ConnectionState.Open) ticket.Dispose();
        };
    }
}
