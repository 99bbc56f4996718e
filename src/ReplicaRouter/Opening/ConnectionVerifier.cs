using System.Data;
using Npgsql;

namespace ReplicaRouter.Opening;

/// <summary>Verifies that an open connection leads to a server that the operation can use, and binds it to the operation's session.</summary>
internal sealed class ConnectionVerifier(RouterConfiguration configuration, TopologyStore store, PrimaryProof primaryProof, TimeProvider time)
{
    /// <summary>Whether a writable route's connection must be checked by a query: its address can lead to another server by now, or a pooler to several.</summary>
    /// <remarks>
    /// Source: PostgreSQL manual, "Protocol Flow": from version 14 on, a server reports <c>in_hot_standby</c> unasked. A pooler can keep repeating what its
    /// server reported before its promotion; only a query to the server gives the current state.
    /// </remarks>
    public static bool IsInDoubt(RoutePlan plan, NpgsqlConnection connection) => !plan.IsReadOnly && connection.IsToStandby();

    /// <summary>Verifies and binds a connection. If it fails verification, closes it and excludes its host from the operation's next choice.</summary>
    public async ValueTask<bool> TryBindAsync(Attempt attempt, HostPool pool, ReadRequirement demand, NpgsqlConnection connection, bool async, CancellationToken cancellationToken)
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

    /// <summary>Creates what reports the use of a pool's connections to the session; null without a session.</summary>
    public SessionConnection? NewBinding(Attempt attempt, HostPool pool) =>
        attempt.Session is { } session ? new SessionConnection(session, pool.Host, !attempt.Plan.IsReadOnly, store, time) : null;

    private async ValueTask<bool> IsPrimaryAsync(Attempt attempt, HostPool pool, NpgsqlConnection connection, bool async, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand("SELECT pg_is_in_recovery()", connection);
        await using var _ = command.ConfigureAwait(false);
        var answer = async ? await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) : command.ExecuteScalar();
        if (answer is false) return true;
        Exclude(attempt, pool, "turned out to be a standby");
        pool.Source.Clear();
        pool.Owner.Monitor.Wake();
        return false;
    }

    /// <summary>Whether the connection must be proven to show what the session needs. The primary always shows it.</summary>
    private bool NeedsProof(Attempt attempt, HostPool pool) =>
        attempt is { Session: not null, Plan.IsReadOnly: true } && configuration.SessionWindow is null && store.Current.At(pool.Host.Index) is null or { Role: HostRole.Replica };

    private async ValueTask<bool> IsProvenAsync(Attempt attempt, HostPool pool, NpgsqlConnection connection, bool async, CancellationToken cancellationToken)
    {
        if (await ReplicaProof.HoldsAsync(attempt.Session!, store, pool, connection, async, cancellationToken).ConfigureAwait(false)) return true;
        // The server has crashed since, or the address leads to another one. Go elsewhere.
        attempt.Session!.Release();
        Exclude(attempt, pool, "is not proven to have replayed what the session needs");
        return false;
    }

    /// <summary>
    /// Whether the primary shows everything that the session has read on a replica. If not, another replica can serve; otherwise the primary is tried again after its next probe.
    /// </summary>
    private async ValueTask<bool> ShowsAllAsync(Attempt attempt, HostPool pool, ReadRequirement demand, NpgsqlConnection connection, bool async, CancellationToken cancellationToken)
    {
        var proof = primaryProof.HoldsAsync(attempt, pool, demand, connection, cancellationToken);
        if (async ? await proof.ConfigureAwait(false) : proof.GetAwaiter().GetResult()) return true;
        Exclude(attempt, pool, "hides a commit that the session has read on a replica, until its synchronous standby confirms it");
        pool.Owner.Monitor.Wake();
        return false;
    }

    private void Exclude(Attempt attempt, HostPool pool, string reason) =>
        attempt.Exclude(pool.Host, new NpgsqlException($"{pool.Host.Endpoint} {reason}."), time.GetTimestamp(), reason);

    /// <summary>Notifies the session, and the limit on fallback reads, when the connection is closed.</summary>
    private void Bind(Attempt attempt, HostPool pool, in ReadRequirement demand, NpgsqlConnection connection)
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
