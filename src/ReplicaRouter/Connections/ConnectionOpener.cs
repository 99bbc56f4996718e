using System.Collections.Immutable;
using Npgsql;

namespace ReplicaRouter;

/// <summary>From a route to an open connection: has a host chosen, opens, and on a host's failure chooses again until time is up.</summary>
internal sealed class ConnectionOpener(
    RouterConfiguration configuration,
    TopologyStore store,
    HostChooser chooser,
    ImmutableArray<HostMonitor> monitors,
    TimeProvider time)
{
    /// <summary>The host's pool for an operation of a session, which is bound from now on by whatever may be done there.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public HostPool Pick(Attempt attempt)
    {
        var (pool, demand) = ChooseSync(attempt);
        NewBinding(attempt, pool)?.Begin(demand.Timeline);
        return pool;
    }

    /// <summary>A connection that is not open yet, to a host that is chosen now.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public NpgsqlConnection Create(Attempt attempt)
    {
        var pool = ChooseSync(attempt).Pool;
        var connection = pool.CreateConnection();
        if (NewBinding(attempt, pool) is { } binding) connection.StateChange += binding.OnStateChange;
        return connection;
    }

    /// <summary>An open connection, counted until it is closed.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public async ValueTask<(NpgsqlConnection Connection, HostPool Pool)> OpenAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (pool, demand) = await chooser.ChooseAsync(attempt, cancellationToken).ConfigureAwait(false);
            var startedAt = time.GetTimestamp();
            try
            {
                var connection = await OpenAsync(pool, attempt, cancellationToken).ConfigureAwait(false);
                if (attempt.Session is null || await TryBindAsync(attempt, pool, demand, connection, cancellationToken).ConfigureAwait(false)) return (connection, pool);
            }
            // The caller's own deadline says nothing of the host.
            catch (Exception e) when (!attempt.HasExpired && Report(e, pool, startedAt))
            {
                attempt.Exclude(pool.Host, e, time.GetTimestamp());
            }
        }
    }

    /// <inheritdoc cref="OpenAsync(Attempt, CancellationToken)"/>
    public (NpgsqlConnection Connection, HostPool Pool) Open(Attempt attempt)
    {
        while (true)
        {
            var (pool, demand) = ChooseSync(attempt);
            var startedAt = time.GetTimestamp();
            var connection = pool.CreateConnection();
            using var opening = pool.CountOpening();
            try
            {
                connection.Open();
                if (attempt.Session is null || TryBind(attempt, pool, demand, connection)) return (connection, pool);
                connection.Dispose();
            }
            catch (Exception e)
            {
                connection.Dispose();
                if (!Report(e, pool, startedAt)) throw;
                attempt.Exclude(pool.Host, e, time.GetTimestamp());
            }
        }
    }

    /// <summary>Tells the monitor at once when an error was the host's.</summary>
    /// <returns>Whether it was, so that another host may do better.</returns>
    public bool Report(Exception exception, HostPool pool, long startedAt)
    {
        var kind = FailureClassifier.Classify(exception);
        if (kind is FailureKind.None) return false;
        var monitor = monitors[pool.Host.Index];
        // One terminated backend, one query in the way of replay or a refused write is no sick host. The probe will tell.
        if (kind is FailureKind.Terminated or FailureKind.RecoveryConflict or FailureKind.ReadOnly) monitor.Wake();
        else monitor.Report(FailureClassifier.Describe(exception, pool.Host), startedAt);
        return true;
    }

    /// <summary>Npgsql does not heed cancellation while it logs in: we stop waiting, and close the connection when it comes.</summary>
    private async ValueTask<NpgsqlConnection> OpenAsync(HostPool pool, Attempt attempt, CancellationToken cancellationToken)
    {
        var limit = attempt.Remaining(time);
        var connection = pool.CreateConnection();
        using var counted = pool.CountOpening();
        var opening = connection.OpenAsync(cancellationToken);
        try
        {
            var isBounded = !opening.IsCompleted && (limit is not null || cancellationToken.CanBeCanceled);
            await (isBounded ? opening.WaitAsync(limit ?? Timeout.InfiniteTimeSpan, time, cancellationToken) : opening).ConfigureAwait(false);
            return connection;
        }
        catch (Exception e)
        {
            var isOurs = e is TimeoutException && !opening.IsCompleted;
            _ = CloseOnceOpenedAsync(opening, connection);   // closing a connection that is still connecting throws
            if (isOurs) throw attempt.Expired(e);
            throw;
        }
    }

    private static async Task CloseOnceOpenedAsync(Task opening, NpgsqlConnection connection)
    {
        await opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    // Choosing mostly waits for nothing, and is done then.
    private (HostPool Pool, SessionDemand Demand) ChooseSync(Attempt attempt)
    {
        var choosing = chooser.ChooseAsync(attempt, CancellationToken.None);
        return choosing.IsCompletedSuccessfully ? choosing.Result : choosing.AsTask().GetAwaiter().GetResult();
    }

    private async ValueTask<bool> TryBindAsync(Attempt attempt, HostPool pool, SessionDemand demand, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var isBound = false;
        try
        {
            isBound = !NeedsProof(attempt, pool) || await ProveAsync(attempt, pool, await pool.Logins.OfAsync(connection).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            if (isBound) Bind(attempt, pool, demand, connection);
            return isBound;
        }
        finally
        {
            if (!isBound) await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private bool TryBind(Attempt attempt, HostPool pool, SessionDemand demand, NpgsqlConnection connection)
    {
        if (NeedsProof(attempt, pool) && !ProveAsync(attempt, pool, pool.Logins.Of(connection), CancellationToken.None).GetAwaiter().GetResult()) return false;
        Bind(attempt, pool, demand, connection);
        return true;
    }

    /// <summary>On the primary there is all that there is.</summary>
    private bool NeedsProof(Attempt attempt, HostPool pool) =>
        attempt.Plan.IsReadOnly && configuration.SessionWindow is null && store.Current.Hosts[pool.Host.Index].Role == HostRole.Replica;

    private async Task<bool> ProveAsync(Attempt attempt, HostPool pool, HostAnswer login, CancellationToken cancellationToken)
    {
        if (IsProven(attempt, pool, login)) return true;
        // Newer than all that is known of the server: an answer may prove it still.
        await monitors[pool.Host.Index].AskAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        if (IsProven(attempt, pool, login)) return true;

        // The server has crashed since, or the address leads to another one. This operation goes elsewhere.
        attempt.Session!.Release();
        attempt.Exclude(pool.Host, new NpgsqlException($"{pool.Host.Endpoint} led to a server that is not proven to show what the session needs."), time.GetTimestamp());
        return false;
    }

    private bool IsProven(Attempt attempt, HostPool pool, HostAnswer login)
    {
        var topology = store.Current;
        return ConnectionProof.Holds(attempt.Session!, topology, topology.Hosts[pool.Host.Index], login);
    }

    /// <summary>Has the session note what is done on a connection from now until it is closed.</summary>
    private void Bind(Attempt attempt, HostPool pool, in SessionDemand demand, NpgsqlConnection connection)
    {
        var binding = NewBinding(attempt, pool)!;
        binding.Begin(demand.Timeline);
        connection.StateChange += binding.OnStateChange;
    }

    private SessionConnection? NewBinding(Attempt attempt, HostPool pool) =>
        attempt.Session is { } session ? new SessionConnection(session, pool.Host, !attempt.Plan.IsReadOnly, store, time) : null;
}
