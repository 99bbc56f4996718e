using Npgsql;

namespace ReplicaRouter.Opening;

/// <summary>Opens a connection of one pool: waits for its turn, logs in, and replaces a connection that has ended while it was idle.</summary>
internal sealed class LeaseOpener(TopologyStore store, CommandListener listener, IdleCheck idle, TimeProvider time)
{
    /// <summary>Takes a connection for which no caller has to wait.</summary>
    /// <returns>Null where all are in use, or enough logins under way.</returns>
    public ConnectionLease? TryTake(HostPool pool) => IsWarmOnly(pool) ? null : pool.TryTake();

    /// <summary>Whether a connection that was opened at once may have ended while it was idle. To be asked once.</summary>
    public bool IsInDoubt(ConnectionLease lease, RoutePlan plan) => idle.IsInDoubt(lease, !plan.IsReadOnly);

    /// <summary>Opens a connection, and once more where one that seemed to be idle has ended.</summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(StartedOpening opening, Attempt attempt, bool async, CancellationToken cancellationToken)
    {
        var pool = opening.Pool;
        // What is about to become a command is work for the host.
        pool.Owner.Load.BeginOpening();
        try
        {
            while (true)
            {
                var lease = await OpenOneAsync(opening, attempt, async, cancellationToken).ConfigureAwait(false);
                var isInDoubt = opening.IsInDoubt || IsInDoubt(lease, pool.Plan);
                if (!isInDoubt || await idle.AnswersAsync(lease.Connection, async).ConfigureAwait(false)) return lease.Opened();

                // It was in no caller's hands: nothing has failed, and the same host does. Others may have ended with it. If the server is gone as well, that is found out now.
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

    /// <summary>Npgsql does not heed cancellation while it logs in: the caller stops waiting, and the connection is closed when it comes.</summary>
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
            // A killed server ends the login in the same moment: only the caller's own token tells whose cancellation it was.
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested) throw LetsNoCallerIn(pool);
            throw;
        }
    }

    /// <summary>Waits for a login, unless it is known that the host lets no caller in.</summary>
    private async Task WaitForLoginAsync(HostPool pool, Task login, Attempt attempt, CancellationToken cancellationToken)
    {
        // The alarm before the state: what changes in between raises it.
        var refused = pool.Owner.LoginsRefused.Token;
        if (IsWarmOnly(pool)) throw LetsNoCallerIn(pool);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, pool.IsExhausted ? CancellationToken.None : refused);
        await login.WaitAsync(attempt.Remaining(time) ?? Timeout.InfiniteTimeSpan, time, either.Token).ConfigureAwait(false);
    }

    /// <summary>Waits for a connection to come back, or for the turn to log in.</summary>
    private async ValueTask<ConnectionLease> TakeInTurnAsync(HostPool pool, Attempt attempt, bool async, CancellationToken cancellationToken)
    {
        // The alarm before the state: what changes in between raises it.
        var refused = pool.Owner.LoginsRefused.Token;
        if (IsWarmOnly(pool)) return TakeIdle(pool);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, refused);
        return await pool.TakeAsync(attempt.RemainingWait(time), attempt.Remaining(time), async, either.Token).ConfigureAwait(false);
    }

    private ConnectionLease TakeIdle(HostPool pool)
    {
        listener.Recount();
        return pool.TryTakeIdle() ?? throw LetsNoCallerIn(pool);
    }

    private bool IsWarmOnly(HostPool pool) => store.Current.At(pool.Host.Index) is { IsWarmOnly: true };

    private static HostLostException LetsNoCallerIn(HostPool pool) => new($"No pooled connection to {pool.Host.Endpoint} was idle, and it accepts no new ones at present.");

    private static async Task CloseOnceOpenedAsync(Task opening, ConnectionLease lease)
    {
        await opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await lease.Connection.DisposeAsync().ConfigureAwait(false);
        lease.Source.Throttle.Leave();
    }
}
