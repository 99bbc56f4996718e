using System.Data;
using Npgsql;

namespace ReplicaRouter.Opening;

/// <summary>Opens a connection for an operation: chooses a host, opens, verifies, and chooses again after a host's failure until time runs out.</summary>
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
    /// <summary>Returns the chosen host's pool, for a caller that opens connections itself. The session is bound now, because what the caller does there is not tracked.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public HostPool Pick(Attempt attempt)
    {
        var (pool, demand) = Choose(attempt);
        // Admission to the primary is only checked: it is unknown when the pool is used, if ever.
        attempt.Ticket?.Dispose();
        verifier.NewBinding(attempt, pool)?.Begin(demand.Timeline);
        return pool;
    }

    /// <summary>Creates a closed connection to a host that is chosen now.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public NpgsqlConnection Create(Attempt attempt)
    {
        var source = Choose(attempt).Pool.Source;
        var connection = source.Value.CreateConnection();
        var led = new CreatedConnection(source, host => verifier.NewBinding(attempt, host));
        connection.StateChange += led.OnStateChange;
        // A session's read needs more than a host that may serve its route, and a read that falls back to the primary needs a slot there: neither can be moved to another pool.
        if (attempt.Ticket is null && (attempt.IsPlain || !attempt.Plan.IsReadOnly)) created.Add(connection, led);
        if (attempt.Ticket is { } ticket)
        {
            ticket.Dispose();
            connection.StateChange += (_, change) => guard.AddUnasked(change.CurrentState == ConnectionState.Open ? 1 : change.OriginalState == ConnectionState.Open ? -1 : 0);
        }

        return connection;
    }

    /// <summary>Opens a connection for an operation that needs nothing beyond its route. The common path, with an idle connection, only picks it.</summary>
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

    // Separate, so that rarely used variables take no space in the frame of the common path.
    private async ValueTask<NpgsqlConnection> FinishPlainAsync(RoutePlan plan, StartedOpening? begun, CancellationToken cancellationToken) =>
        (await OpenAsync(new Attempt(plan, default, null, time), async: true, cancellationToken, begun).ConfigureAwait(false)).Connection;

    /// <summary>Opens a connection, which is counted until it is closed. If not <paramref name="async"/>, completes before it returns.</summary>
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
                // A hedged attempt never waits: it would only lengthen the queue.
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

    /// <summary>Takes a connection that is available at once, of another host than the chosen one.</summary>
    private ConnectionLease? TryTakeElsewhere(ref HostPool pool, RoutePlan plan)
    {
        if (chooser.TryChoosePlain(plan, pool.Host.Bit) is not { } other || other.TryTake() is not { } lease) return null;
        pool = other;
        return lease;
    }

    // Choosing usually completes synchronously.
    private (HostPool Pool, ReadRequirement Demand) Choose(Attempt attempt) => chooser.ChooseAsync(attempt, CancellationToken.None).Wait();

    /// <summary>Whether to try another host. All failures to open allow that, except the caller's own cancellation and the router's disposal.</summary>
    private bool IsToBeOpenedElsewhere(Exception exception, Attempt attempt, HostPool pool, long startedAt)
    {
        // Hosts are chosen by load, so the queues of the others are as long. Trying each in turn would only add work during an overload.
        if (exception.InnerException is QueueFullException) return false;
        var failed = AttemptFailure.OfOpening(exception, attempt);
        if (RetryTable.Decide(failed) != RetryDecision.RetryElsewhere) return false;
        // The router's own limit; the host is not at fault.
        if (failed.Detail == FailureDetail.PoolExhausted) return true;
        // Even an error that does not indicate a host failure can be caused by the host; the next probe shows.
        if (!failures.Report(exception, pool, startedAt, FailureSite.Opening)) pool.Owner.Monitor.Wake();
        return true;
    }

    /// <summary>Counts an operation that gets no connection.</summary>
    /// <returns>Always false, so that an exception filter can call it without catching.</returns>
    private bool Note(Attempt attempt, Exception exception)
    {
        // A hedged attempt without a connection is dropped, unnoticed by the caller.
        if (attempt.IsHedge || exception is OperationCanceledException) return false;
        counters.Count(RouterEvent.NotOpened);
        return counters.Failures.Note(attempt.Plan, attempt.Host, exception, time);
    }
}
