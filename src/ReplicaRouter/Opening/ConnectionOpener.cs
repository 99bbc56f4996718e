using System.Data;
using Npgsql;

namespace ReplicaRouter.Opening;

/// <summary>From a route to an open connection: chooses a host, opens, verifies, and on a host's failure chooses again until the time is up.</summary>
internal sealed class ConnectionOpener(
    TopologyStore store,
    HostChooser chooser,
    LeaseOpener leases,
    ConnectionVerifier verifier,
    FailureReporter failures,
    PrimaryGuard guard,
    RoutingCounters counters,
    CreatedConnections created,
    TimeProvider time)
{
    /// <summary>The host's pool for an operation of a session, which is bound from now on by whatever may be done there.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public HostPool Pick(Attempt attempt)
    {
        var (pool, demand) = Choose(attempt);
        // There was a place on the primary, if one was needed. It is not known when the client is used, if ever.
        attempt.Ticket?.Dispose();
        verifier.NewBinding(attempt, pool)?.Begin(demand.Timeline);
        return pool;
    }

    /// <summary>A connection that is not open yet, to a host that is chosen now.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public NpgsqlConnection Create(Attempt attempt)
    {
        var source = Choose(attempt).Pool.Source;
        var connection = source.Value.CreateConnection();
        var led = new CreatedConnection(source, host => verifier.NewBinding(attempt, host));
        connection.StateChange += led.OnStateChange;
        // A read of a session needs more than a host that may serve its route; and one that falls back to the primary has its place there.
        if (attempt.Ticket is null && (attempt.IsPlain || !attempt.Plan.IsReadOnly)) created.Add(connection, led);
        if (attempt.Ticket is { } ticket)
        {
            ticket.Dispose();
            connection.StateChange += (_, change) => guard.AddUnasked(change.CurrentState == ConnectionState.Open ? 1 : change.OriginalState == ConnectionState.Open ? -1 : 0);
        }

        return connection;
    }

    /// <summary>An open connection for what asks for nothing beyond its route. Usually a connection is idle: then this takes no more than to pick it.</summary>
    /// <inheritdoc cref="OpenAsync" path="/exception"/>
    public ValueTask<NpgsqlConnection> OpenPlainAsync(RoutePlan plan, CancellationToken cancellationToken)
    {
        if (chooser.TryChoosePlain(plan) is not { } pool || (pool.TryTake() ?? TryTakeElsewhere(ref pool, plan)) is not { } lease)
            return FinishPlainAsync(plan, begun: null, cancellationToken);
        var opening = lease.OpenAsync(async: true, cancellationToken);
        var isInDoubt = opening.IsCompletedSuccessfully && leases.IsInDoubt(lease, plan);
        return opening.IsCompletedSuccessfully && !isInDoubt && !ConnectionVerifier.IsInDoubt(plan, lease.Connection)
            ? new ValueTask<NpgsqlConnection>(lease.Opened())
            : FinishPlainAsync(plan, new StartedOpening(pool, lease, opening, isInDoubt), cancellationToken);
    }

    // A method of its own, so that rarely needed variables take no room in the frame of the common path.
    private async ValueTask<NpgsqlConnection> FinishPlainAsync(RoutePlan plan, StartedOpening? begun, CancellationToken cancellationToken) =>
        (await OpenAsync(new Attempt(plan, default, null, time), async: true, cancellationToken, begun).ConfigureAwait(false)).Connection;

    /// <summary>An open connection, counted until it is closed. Without <paramref name="async"/> all is done when this returns.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public async ValueTask<(NpgsqlConnection Connection, HostPool Pool)> OpenAsync(Attempt attempt, bool async, CancellationToken cancellationToken, StartedOpening? begun = null)
    {
        var isHandedOut = false;
        try
        {
            while (true)
            {
                var (pool, demand) = begun is { } first ? (first.Pool, default) : async ? await chooser.ChooseAsync(attempt, cancellationToken).ConfigureAwait(false) : Choose(attempt);
                var opening = begun ?? Begin(pool, attempt);
                (begun, pool) = (null, opening.Pool);
                // A second run waits for nothing: it would only make the line longer.
                if (attempt.IsHedge && opening.Lease is null) throw attempt.NoHost(store.Current, demand, time);
                attempt.Host = pool.Host;
                var startedAt = time.GetTimestamp();
                try
                {
                    var connection = await leases.OpenAsync(opening, attempt, async, cancellationToken).ConfigureAwait(false);
                    isHandedOut = await verifier.TryBindAsync(attempt, pool, demand, connection, async, cancellationToken).ConfigureAwait(false);
                    if (!isHandedOut) continue;
                    attempt.EndWait(time);
                    return (connection, pool);
                }
                catch (Exception e) when (IsToBeOpenedElsewhere(e, attempt, pool, startedAt))
                {
                    attempt.Exclude(pool.Host, e, time.GetTimestamp());
                }
            }
        }
        catch (Exception e) when (Note(attempt, e))
        {
            throw;
        }
        finally
        {
            if (!isHandedOut) attempt.Ticket?.Dispose();
        }
    }

    private StartedOpening Begin(HostPool pool, Attempt attempt)
    {
        var lease = leases.TryTake(pool);
        if (lease is null && attempt.IsPlain) lease = TryTakeElsewhere(ref pool, attempt.Plan);
        return new StartedOpening(pool, lease);
    }

    /// <summary>Takes a connection for which the caller does not have to wait, of another host than the one that was chosen.</summary>
    private ConnectionLease? TryTakeElsewhere(ref HostPool pool, RoutePlan plan)
    {
        if (chooser.TryChoosePlain(plan, pool.Host.Bit) is not { } other || other.TryTake() is not { } lease) return null;
        pool = other;
        return lease;
    }

    // Choosing usually waits for nothing, and is done then.
    private (HostPool Pool, SessionDemand Demand) Choose(Attempt attempt) => chooser.ChooseAsync(attempt, CancellationToken.None).Wait();

    /// <summary>Whatever ends an opening, another host may do better; only callers' own cancellation, and the router's disposal, end the operation as well.</summary>
    private bool IsToBeOpenedElsewhere(Exception exception, Attempt attempt, HostPool pool, long startedAt)
    {
        // Hosts are chosen by what they have to do: the other ones have lines as long. To try them in turn would be more work in an overload.
        if (exception.InnerException is LineTooLongException) return false;
        var failed = FailedTry.OfOpening(exception, attempt);
        if (RetryTable.Decide(failed) != RetryDecision.AgainElsewhere) return false;
        // Our own doing, and no fault of the host.
        if (failed.Detail == FailureDetail.PoolExhausted) return true;
        // An error that says nothing of the host may still be the host's: its next probe tells.
        if (!failures.Report(exception, pool, startedAt, FailureSite.Opening)) pool.Owner.Monitor.Wake();
        return true;
    }

    /// <summary>Notes that a caller gets no connection.</summary>
    /// <returns>Always false, so that a filter can note what it does not catch.</returns>
    private bool Note(Attempt attempt, Exception exception)
    {
        // A second run that finds no connection is given up, and no caller knows of it.
        if (attempt.IsHedge || exception is OperationCanceledException) return false;
        counters.Count(RouterEvent.NotOpened);
        return counters.Failures.Note(attempt.Plan, attempt.Host, exception, time);
    }
}
