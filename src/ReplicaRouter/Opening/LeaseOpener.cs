using Npgsql;

namespace ReplicaRouter.Opening;

/// <summary>Opens a connection of one pool: waits for its turn, logs in, and replaces a connection that died while idle.</summary>
internal sealed class LeaseOpener(TopologyStore store, CommandListener listener, IdleCheck idle, TimeProvider time)
{
    /// <summary>Takes a connection that is available at once.</summary>
    /// <returns>Null if all are in use, enough logins are in progress, or the host accepts no logins.</returns>
    public ConnectionLease? TryTake(HostPool pool) => IsWarmOnly(pool) ? null : pool.TryTake();

    /// <summary>Whether a connection that was opened at once may have died while idle. Must be called only once.</summary>
    public bool IsInDoubt(ConnectionLease lease, RoutePlan plan) => idle.IsInDoubt(lease, !plan.IsReadOnly);

    /// <summary>Opens a connection; if one from the pool turns out to be dead, opens another.</summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(StartedOpening opening, Attempt attempt, bool async, CancellationToken cancellationToken)
    {
        var pool = opening.Pool;
        // It is about to become a command, so it counts as load.
        pool.Owner.Load.BeginOpening();
        try
        {
            while (true)
            {
                var lease = await OpenOneAsync(opening, attempt, async, cancellationToken).ConfigureAwait(false);
                var isInDoubt = opening.IsInDoubt || IsInDoubt(lease, pool.Plan);
                if (!isInDoubt || await idle.AnswersAsync(lease.Connection, async).ConfigureAwait(false)) return lease.Opened();

                // No caller had it, so nothing has failed, and the same host is used. Others may have died with it. If the server is gone, too, the next try shows.
                lease.Source.Clear();
                lease.Source.Throttle.Leave();
                pool.Owner.Monitor.Wake();
                cancellationToken.ThrowIfCancellationRequested();
                opening = new StartedOpening(pool, TryTake(pool));
                if (attempt.IsHedge && opening.Lease is null) throw LetsNoCallerIn(pool);
            }
        }
        finally
        {
            pool.Owner.Load.EndOpening();
        }
    }

    /// <summary>Opens one connection. Npgsql ignores cancellation during a login: the caller stops waiting, and the connection is closed once it is open.</summary>
    private async ValueTask<ConnectionLease> OpenOneAsync(StartedOpening opening, Attempt attempt, bool async, CancellationToken cancellationToken)
    {
        var (pool, lease, task) = (opening.Pool, opening.Lease, opening.Task);
        try
        {
            lease ??= await TakeInTurnAsync(pool, attempt, async, cancellationToken).ConfigureAwait(false);
            task ??= lease.Value.OpenAsync(async, cancellationToken);
            if (!task.IsCompleted) await WaitForLoginAsync(pool, task, attempt, cancellationToken).ConfigureAwait(false);
            await task.ConfigureAwait(false);
            return lease.Value;
        }
        catch (Exception e)
        {
            var isOurs = task is not { IsCompleted: true };
            if (lease is { } taken) _ = CloseOnceOpenedAsync(task ?? Task.CompletedTask, taken);   // closing a connection that is still connecting throws
            if (isOurs && (e is TimeoutException || (FailureClassifier.IsPoolExhausted(e) && attempt.IsNearlyExpired(time)))) throw attempt.Expired(e);
            // A killed server can end the login at the same moment; only the caller's own token shows which it was.
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested) throw LetsNoCallerIn(pool);
            throw;
        }
    }

    /// <summary>Waits for a login, unless the host is known to accept none.</summary>
    private async Task WaitForLoginAsync(HostPool pool, Task login, Attempt attempt, CancellationToken cancellationToken)
    {
        // Take the token before reading the state, so that no change between the two is missed.
        var refused = pool.Owner.LoginsRefused.Token;
        if (IsWarmOnly(pool)) throw LetsNoCallerIn(pool);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, pool.IsExhausted ? CancellationToken.None : refused);
        await login.WaitAsync(attempt.Remaining(time) ?? Timeout.InfiniteTimeSpan, time, either.Token).ConfigureAwait(false);
    }

    /// <summary>Waits for a connection to be returned, or for a turn to log in.</summary>
    private async ValueTask<ConnectionLease> TakeInTurnAsync(HostPool pool, Attempt attempt, bool async, CancellationToken cancellationToken)
    {
        // Take the token before reading the state, so that no change between the two is missed.
        var refused = pool.Owner.LoginsRefused.Token;
        if (IsWarmOnly(pool))
        {
            listener.Recount();
            return pool.TryTakeIdle() ?? throw LetsNoCallerIn(pool);
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, refused);
        return await pool.TakeAsync(attempt.RemainingWait(time), attempt.Remaining(time), async, either.Token).ConfigureAwait(false);
    }

    private bool IsWarmOnly(HostPool pool) => store.Current.At(pool.Host.Index) is { IsWarmOnly: true };

    private static HostLostException LetsNoCallerIn(HostPool pool) => new($"{pool.Host.Endpoint} is not accepting new connections, and no pooled connection was idle.");

    private static async Task CloseOnceOpenedAsync(Task opening, ConnectionLease lease)
    {
        await opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await lease.Connection.DisposeAsync().ConfigureAwait(false);
        lease.Source.Throttle.Leave();
    }
}
