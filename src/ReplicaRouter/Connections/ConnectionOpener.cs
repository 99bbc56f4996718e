using System.Data;
using Npgsql;

namespace ReplicaRouter;

/// <summary>From a route to an open connection: has a host chosen, opens, and on a host's failure chooses again until time is up.</summary>
internal sealed class ConnectionOpener(
    RouterConfiguration configuration,
    TopologyStore store,
    HostChooser chooser,
    CommandListener listener,
    PrimaryGuard guard,
    PrimaryProof primaryProof,
    RoutingCounters counters,
    IdleCheck idle,
    CreatedConnections created,
    TimeProvider time)
{
    private const string StandbyQuestion = "SELECT pg_is_in_recovery()";

    /// <summary>The host's pool for an operation of a session, which is bound from now on by whatever may be done there.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public HostPool Pick(Attempt attempt)
    {
        var (pool, demand) = ChooseSync(attempt);
        // There was a place on the primary, if one was needed. When the client is used, if ever, nobody knows.
        attempt.Ticket?.Dispose();
        NewBinding(attempt, pool)?.Begin(demand.Timeline);
        return pool;
    }

    /// <summary>A connection that is not open yet, to a host that is chosen now.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public NpgsqlConnection Create(Attempt attempt)
    {
        var pool = ChooseSync(attempt).Pool;
        var source = pool.Source;
        var connection = source.Value.CreateConnection();
        var led = new CreatedConnection(source, host => NewBinding(attempt, host));
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

    /// <summary>An open connection for what asks for nothing beyond its route. Mostly all is well and one is idle: then this takes no more than to pick it.</summary>
    /// <inheritdoc cref="OpenAsync(Attempt, CancellationToken)" path="/exception"/>
    /// <param name="plan">The route.</param>
    /// <param name="kept">Connections of the caller's that may be opened again.</param>
    /// <param name="cancellationToken">Cancels waiting and opening.</param>
    public ValueTask<NpgsqlConnection> OpenPlainAsync(RoutePlan plan, KeptConnections? kept, CancellationToken cancellationToken)
    {
        if (chooser.TryChoosePlain(plan) is not { } pool) return OpenPlainAsync(plan, begun: null, cancellationToken);
        return pool.TryTake(kept) is { } lease ? OpenPlainAsync(plan, pool, lease, cancellationToken) : OpenPlainElsewhereAsync(plan, pool, kept, cancellationToken);
    }

    private ValueTask<NpgsqlConnection> OpenPlainAsync(RoutePlan plan, HostPool pool, ConnectionLease lease, CancellationToken cancellationToken)
    {
        var opening = lease.OpenAsync(cancellationToken);
        var isInDoubt = opening.IsCompletedSuccessfully && idle.IsInDoubt(lease.Connection, !plan.IsReadOnly);
        return opening.IsCompletedSuccessfully && !isInDoubt && !NeedsNoStandby(plan, lease.Connection)
            ? new ValueTask<NpgsqlConnection>(lease.Opened())
            : FinishPlainAsync(plan, pool, lease, opening, isInDoubt, cancellationToken);
    }

    // By themselves, so that what is seldom needed has no place in the frame of what is done always.
    private ValueTask<NpgsqlConnection> FinishPlainAsync(RoutePlan plan, HostPool pool, ConnectionLease lease, Task opening, bool isInDoubt, CancellationToken cancellationToken) =>
        OpenPlainAsync(plan, new Opening(pool, lease, opening, isInDoubt), cancellationToken);

    private ValueTask<NpgsqlConnection> OpenPlainElsewhereAsync(RoutePlan plan, HostPool pool, KeptConnections? kept, CancellationToken cancellationToken) =>
        TryTakeElsewhere(plan, kept, ref pool) is { } lease ? OpenPlainAsync(plan, pool, lease, cancellationToken) : OpenPlainAsync(plan, Opening.NotBegun(pool), cancellationToken);

    private async ValueTask<NpgsqlConnection> OpenPlainAsync(RoutePlan plan, Opening? begun, CancellationToken cancellationToken) =>
        (await OpenAsync(new Attempt(plan, default, null, time), begun, cancellationToken).ConfigureAwait(false)).Connection;

    /// <summary>An open connection, counted until it is closed.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public ValueTask<(NpgsqlConnection Connection, HostPool Pool)> OpenAsync(Attempt attempt, CancellationToken cancellationToken) => OpenAsync(attempt, null, cancellationToken);

    private async ValueTask<(NpgsqlConnection Connection, HostPool Pool)> OpenAsync(Attempt attempt, Opening? begun, CancellationToken cancellationToken)
    {
        var isHandedOut = false;
        try
        {
            while (true)
            {
                var (pool, demand) = begun is { } first ? (first.Pool, default) : await chooser.ChooseAsync(attempt, cancellationToken).ConfigureAwait(false);
                var opening = begun ?? Begin(ref pool, attempt, cancellationToken);
                begun = null;
                // A second run waits for nothing: it would only make the line longer.
                if (attempt.IsHedge && opening.Lease is null) throw attempt.NoHost(store.Current, demand, time);
                attempt.Host = pool.Host;
                var startedAt = time.GetTimestamp();
                try
                {
                    var connection = await OpenAsync(opening, attempt, cancellationToken).ConfigureAwait(false);
                    isHandedOut = await TryBindAsync(attempt, pool, demand, connection, cancellationToken).ConfigureAwait(false);
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

    /// <inheritdoc cref="OpenAsync(Attempt, CancellationToken)"/>
    public (NpgsqlConnection Connection, HostPool Pool) Open(Attempt attempt)
    {
        var isHandedOut = false;
        try
        {
            while (true)
            {
                var (pool, demand) = ChooseSync(attempt);
                var lease = TryTake(ref pool, attempt);
                attempt.Host = pool.Host;
                var startedAt = time.GetTimestamp();
                try
                {
                    var connection = Open(pool, lease, attempt);
                    isHandedOut = TryBind(attempt, pool, demand, connection);
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

    /// <summary>Notes that a caller gets no connection.</summary>
    /// <returns>Always false, so that a filter can note what it does not catch.</returns>
    private bool Note(Attempt attempt, Exception exception)
    {
        // A second run that finds no connection is given up, and no caller knows of it.
        if (attempt.IsHedge || exception is OperationCanceledException) return false;
        counters.CountNotOpened();
        return counters.Failures.Note(attempt.Plan, attempt.Host, exception, time);
    }

    /// <summary>Whatever ends an opening, another host may do better; only callers' own cancellation, and the router's disposal, end the operation as well.</summary>
    private bool IsToBeOpenedElsewhere(Exception exception, Attempt attempt, HostPool pool, long startedAt)
    {
        var failed = FailedTry.OfOpening(exception, attempt);
        if (RetryTable.Decide(failed) != RetryDecision.AgainElsewhere) return false;
        // Our own doing, and no fault of the host.
        if (failed.Detail == FailureDetail.PoolExhausted) return true;
        // An error that says nothing of the host may still be the host's: its next probe tells.
        if (!Report(exception, pool, startedAt, FailureSite.Opening)) pool.Owner.Monitor.Wake();
        return true;
    }

    /// <summary>Tells the monitor at once when an error was the host's.</summary>
    /// <param name="exception">The error.</param>
    /// <param name="pool">Where it was met.</param>
    /// <param name="startedAt">When what failed was begun, with a connection that was open by then: later evidence of the host outweighs it.</param>
    /// <param name="site">On what it was met.</param>
    /// <returns>Whether it was, so that another host may do better.</returns>
    public bool Report(Exception exception, HostPool pool, long startedAt, FailureSite site)
    {
        var kind = FailureClassifier.Classify(exception, site);
        var isLogin = site == FailureSite.Opening;
        var monitor = pool.Owner.Monitor;
        switch (kind)
        {
            case FailureKind.None:
                return false;
            case FailureKind.Hung:
                // It is why the work was given up: nothing new.
                return true;
            case FailureKind.Timeout:
                // A long query as likely as a host that hangs. Asked with a deadline of its own, the host tells which.
                monitor.Verify(isLogin);
                return true;
            case FailureKind.Terminated or FailureKind.RecoveryConflict or FailureKind.ReadOnly:
                // One terminated backend, one query in the way of replay or a refused write is no sick host. The probe will tell.
                monitor.Wake();
                return true;
            case FailureKind.Misconfigured or FailureKind.Full or FailureKind.NoPassword
                when isLogin && (kind == FailureKind.Misconfigured || pool.Plan.Database is not null) && store.Current.At(pool.Host.Index) is { IsServing: true, LastAnswered: not null }:
                // A pooler may refuse what one route asks for and no other does, and a further database may not be there, or have a limit of its own.
                // The probe's own login tells.
                monitor.Verify(isLogin);
                return true;
            case FailureKind.Full or FailureKind.NoPassword when isLogin && store.Current.At(pool.Host.Index) is { IsServing: true, LastAnswered: not null }:
                monitor.ReportLogin(FailureClassifier.Describe(exception, pool.Host, pool.Plan.Database), startedAt);
                return true;
            default:
                monitor.Report(FailureClassifier.Describe(exception, pool.Host, site, pool.Plan.Database), startedAt);
                return true;
        }
    }

    /// <summary>Whether a pool's host was last seen as a replica.</summary>
    public bool IsReplica(HostPool pool) => store.Current.At(pool.Host.Index) is { Role: HostRole.Replica };

    /// <summary>Cancelled when work on a host has to be given up.</summary>
    public CancellationToken GivenUp(HostPool pool)
    {
        var host = pool.Owner;
        var token = pool.Plan.IsReadOnly ? host.Lost.Token : host.Superseded.Token;
        // It may have been lost since it was chosen, and that alarm has been raised.
        return pool.Plan.IsReadOnly && store.Current.At(pool.Host.Index) is { IsLost: true } ? new CancellationToken(true) : token;
    }

    /// <param name="Pool">Where a connection is opened.</param>
    /// <param name="Lease">The connection; null as long as the pool has none to give.</param>
    /// <param name="Task">The opening of that connection.</param>
    /// <param name="IsInDoubt">Whether it is known that the connection may have ended while it was idle.</param>
    private readonly record struct Opening(HostPool Pool, ConnectionLease? Lease, Task Task, bool IsInDoubt = false)
    {
        public static Opening NotBegun(HostPool pool) => new(pool, null, Task.CompletedTask);
    }

    private Opening Begin(ref HostPool pool, Attempt attempt, CancellationToken cancellationToken) => TryTake(ref pool, attempt) is { } lease
        ? new Opening(pool, lease, lease.OpenAsync(cancellationToken))
        : Opening.NotBegun(pool);

    /// <summary>Takes a connection for which nobody has to wait.</summary>
    private ConnectionLease? TryTake(ref HostPool pool, Attempt attempt) => IsWarmOnly(pool) ? null
        : pool.TryTake(kept: null) ?? (attempt.IsPlain ? TryTakeElsewhere(attempt.Plan, kept: null, ref pool) : null);

    /// <summary>Where one would have to wait for a connection, another host is asked first.</summary>
    private ConnectionLease? TryTakeElsewhere(RoutePlan plan, KeptConnections? kept, ref HostPool pool)
    {
        if (chooser.TryChoosePlain(plan, pool.Host.Bit) is not { } other || other.TryTake(kept) is not { } lease) return null;
        pool = other;
        return lease;
    }

    /// <summary>Waits for a connection to come back, or for the turn to log in.</summary>
    private async ValueTask<ConnectionLease> TakeInTurnAsync(HostPool pool, Attempt attempt, CancellationToken cancellationToken)
    {
        // The alarm before the state: what changes in between raises it.
        var refused = pool.Owner.LoginsRefused.Token;
        if (IsWarmOnly(pool)) return TakeIdle(pool);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, refused);
        return await pool.TakeAsync(attempt.RemainingWait(time), attempt.Remaining(time), either.Token).ConfigureAwait(false);
    }

    private ConnectionLease TakeIdle(HostPool pool)
    {
        listener.Recount();
        return pool.TryTakeIdle() ?? throw NobodyLetIn(pool);
    }

    private bool IsWarmOnly(HostPool pool) => store.Current.At(pool.Host.Index) is { IsWarmOnly: true };

    /// <summary>Npgsql does not heed cancellation while it logs in: we stop waiting, and close the connection when it comes.</summary>
    private async ValueTask<NpgsqlConnection> OpenAsync(Opening opening, Attempt attempt, CancellationToken cancellationToken)
    {
        var (pool, lease, task, isInDoubt) = opening;
        using var counted = pool.CountOpening();
        try
        {
            if (lease is null)
            {
                lease = await TakeInTurnAsync(pool, attempt, cancellationToken).ConfigureAwait(false);
                task = lease.Value.OpenAsync(cancellationToken);
            }

            if (!task.IsCompleted) await WaitForLoginAsync(pool, task, attempt, cancellationToken).ConfigureAwait(false);
            await task.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            var isOurs = lease is null || !task.IsCompleted;
            if (lease is { } connection) _ = CloseOnceOpenedAsync(task, connection);   // closing a connection that is still connecting throws
            if (isOurs && (e is TimeoutException || (FailureClassifier.IsPoolExhausted(e) && attempt.IsNearlyExpired(time)))) throw attempt.Expired(e);
            // A killed server ends the login in the same moment: whose cancellation it was, only the caller's own token tells.
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested) throw NobodyLetIn(pool);
            throw;
        }

        if (!isInDoubt) isInDoubt = idle.IsInDoubt(lease.Value.Connection, !pool.Plan.IsReadOnly);
        if (!isInDoubt || await idle.AnswersAsync(lease.Value.Connection).ConfigureAwait(false)) return lease.Value.Opened();
        return await OpenInPlaceAsync(pool, lease.Value, attempt, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits for a login, unless it is known that the host lets no caller in.</summary>
    private async Task WaitForLoginAsync(HostPool pool, Task login, Attempt attempt, CancellationToken cancellationToken)
    {
        // The alarm before the state: what changes in between raises it.
        var refused = pool.Owner.LoginsRefused.Token;
        if (IsWarmOnly(pool)) throw NobodyLetIn(pool);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, pool.IsExhausted ? CancellationToken.None : refused);
        await login.WaitAsync(attempt.Remaining(time) ?? Timeout.InfiniteTimeSpan, time, either.Token).ConfigureAwait(false);
    }

    /// <summary>Another connection in place of one that ended while it was idle, to the same host. It was in no caller's hands: nothing has failed.</summary>
    private async ValueTask<NpgsqlConnection> OpenInPlaceAsync(HostPool pool, ConnectionLease ended, Attempt attempt, CancellationToken cancellationToken)
    {
        pool.DropLike(ended);
        cancellationToken.ThrowIfCancellationRequested();
        var opening = IsWarmOnly(pool) || pool.TryTake(kept: null) is not { } lease ? Opening.NotBegun(pool) : new Opening(pool, lease, lease.OpenAsync(cancellationToken));
        if (attempt.IsHedge && opening.Lease is null) throw NobodyLetIn(pool);
        return await OpenAsync(opening, attempt, cancellationToken).ConfigureAwait(false);
    }

    private NpgsqlConnection Open(HostPool pool, ConnectionLease? free, Attempt attempt)
    {
        using var counted = pool.CountOpening();
        while (true)
        {
            var lease = free ?? (IsWarmOnly(pool) ? TakeIdle(pool) : TakeInTurn(pool, attempt));
            try
            {
                lease.Open();
            }
            catch
            {
                lease.Connection.Dispose();
                lease.Source.Throttle.Leave();
                throw;
            }

            if (!idle.IsInDoubt(lease.Connection, !pool.Plan.IsReadOnly) || IdleCheck.Answers(lease.Connection)) return lease.Opened();
            pool.DropLike(lease);
            free = null;
        }
    }

    /// <inheritdoc cref="TakeInTurnAsync"/>
    private ConnectionLease TakeInTurn(HostPool pool, Attempt attempt)
    {
        try
        {
            return pool.Take(attempt.RemainingWait(time), attempt.Remaining(time));
        }
        catch (NpgsqlException e) when (FailureClassifier.IsPoolExhausted(e) && attempt.IsNearlyExpired(time))
        {
            throw attempt.Expired(e);
        }
    }

    private static HostLostException NobodyLetIn(HostPool pool) => new($"{pool.Host.Endpoint} lets nobody log in at present, and no open connection was free.");

    private static async Task CloseOnceOpenedAsync(Task opening, ConnectionLease lease)
    {
        await opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await lease.Connection.DisposeAsync().ConfigureAwait(false);
        lease.Source.Throttle.Leave();
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
            isBound = (!NeedsNoStandby(attempt.Plan, connection) || IsPrimary(attempt, pool, await AskIfStandbyAsync(connection, cancellationToken).ConfigureAwait(false)))
                && (!NeedsProof(attempt, pool) || await ProveAsync(attempt, pool, await pool.Logins.OfAsync(connection).ConfigureAwait(false), cancellationToken).ConfigureAwait(false))
                && (!primaryProof.IsNeeded(attempt, pool) || await ShowsAllAsync(attempt, pool, demand, connection, cancellationToken).ConfigureAwait(false));
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
        var isBound = false;
        try
        {
            isBound = (!NeedsNoStandby(attempt.Plan, connection) || IsPrimary(attempt, pool, AskIfStandby(connection)))
                && (!NeedsProof(attempt, pool) || ProveAsync(attempt, pool, pool.Logins.Of(connection), CancellationToken.None).GetAwaiter().GetResult())
                && (!primaryProof.IsNeeded(attempt, pool) || ShowsAllAsync(attempt, pool, demand, connection, CancellationToken.None).GetAwaiter().GetResult());
            if (isBound) Bind(attempt, pool, demand, connection);
            return isBound;
        }
        finally
        {
            if (!isBound) connection.Dispose();
        }
    }

    /// <summary>A writer is never handed a connection to a standby: the address may lead to another server by now, or a pooler to several.</summary>
    /// <remarks>
    /// Source: PostgreSQL manual, "Protocol Flow": from version 14 on a server reports <c>in_hot_standby</c> unasked. A pooler goes on to repeat what its
    /// server reported before it was promoted: only the server itself can tell.
    /// </remarks>
    private static bool NeedsNoStandby(RoutePlan plan, NpgsqlConnection connection) => !plan.IsReadOnly && IsStandby(connection);

    private bool IsPrimary(Attempt attempt, HostPool pool, bool isStandby)
    {
        if (!isStandby) return true;
        attempt.Exclude(pool.Host, new NpgsqlException($"{pool.Host.Endpoint} led to a standby."), time.GetTimestamp());
        pool.Clear();
        pool.Owner.Monitor.Wake();
        return false;
    }

    private static async Task<bool> AskIfStandbyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(StandbyQuestion, connection);
        await using var _ = command.ConfigureAwait(false);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    private static bool AskIfStandby(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(StandbyQuestion, connection);
        return (bool)command.ExecuteScalar()!;
    }

    public static bool IsStandby(NpgsqlConnection connection) => connection.PostgresParameters.TryGetValue("in_hot_standby", out var value) && value == "on";

    /// <summary>On the primary there is all that there is.</summary>
    private bool NeedsProof(Attempt attempt, HostPool pool) =>
        attempt is { Session: not null, Plan.IsReadOnly: true } && configuration.SessionWindow is null && store.Current.At(pool.Host.Index) is null or { Role: HostRole.Replica };

    private async Task<bool> ProveAsync(Attempt attempt, HostPool pool, HostAnswer login, CancellationToken cancellationToken)
    {
        if (IsProven(attempt, pool, login)) return true;
        // Newer than all that is known of the server: an answer may prove it still.
        await pool.Owner.Monitor.AskAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        if (IsProven(attempt, pool, login)) return true;

        // The server has crashed since, or the address leads to another one. This operation goes elsewhere.
        attempt.Session!.Release();
        attempt.Exclude(pool.Host, new NpgsqlException($"{pool.Host.Endpoint} led to a server that is not proven to show what the session needs."), time.GetTimestamp());
        return false;
    }

    /// <summary>What the primary hides from a session that has read it on a replica, another replica may show; else the primary is tried again once it has answered a probe.</summary>
    private async Task<bool> ShowsAllAsync(Attempt attempt, HostPool pool, SessionDemand demand, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (await primaryProof.HoldsAsync(attempt, pool, demand, connection, cancellationToken).ConfigureAwait(false)) return true;
        attempt.ExcludeHiding(pool.Host, time.GetTimestamp());
        pool.Owner.Monitor.Wake();
        return false;
    }

    private bool IsProven(Attempt attempt, HostPool pool, HostAnswer login)
    {
        var topology = store.Current;
        // Of a host that was removed meanwhile nothing is known.
        return topology.At(pool.Host.Index) is { } host && ConnectionProof.Holds(attempt.Session!, topology, host, login);
    }

    /// <summary>Has the session, and whoever counts places on the primary, note when a connection is closed.</summary>
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

    private SessionConnection? NewBinding(Attempt attempt, HostPool pool) =>
        attempt.Session is { } session ? new SessionConnection(session, pool.Host, !attempt.Plan.IsReadOnly, store, time) : null;
}
