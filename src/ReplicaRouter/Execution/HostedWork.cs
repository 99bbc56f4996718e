using System.Runtime.CompilerServices;
using Npgsql;

namespace ReplicaRouter.Execution;

/// <summary>Runs one piece of callers' work on an open connection, and gives it up when its host is lost.</summary>
/// <remarks>
/// Npgsql cancels a command by a request over a further connection, on the thread that cancels, and waits for its end: on a host that hangs that
/// takes twice the time-out of a login. So the work gets a token of its own, which is cancelled elsewhere, and work that is given up is not waited for.
/// It ends some time later, and its connection with it; until then it may still do what its token does not keep it from.
/// </remarks>
internal static class HostedWork
{
    /// <summary>On a host that is well, cancelled work ends at once; this is for work that does not heed cancellation.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Runs it, closes its connection, and gives it up once <paramref name="givenUp"/> is cancelled: at once where <paramref name="isLost"/> is null, else when that says that there is no
    /// use in waiting for it.
    /// </summary>
    /// <exception cref="HostLostException">The work was given up.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<T> RunAsync<T>(
        NpgsqlConnection connection, Work<T> work, CommandFlow flow, TimeProvider time,
        LostAnswers? isLost, HostPool? pool, CancellationToken givenUp, CancellationToken cancellationToken)
    {
        var watch = WorkWatch.Rent();
        var running = watch.Watch(RunToEndAsync(connection, work, flow, async: true, watch.Stop.Token));
        await watch.WaitAsync(givenUp, cancellationToken).ConfigureAwait(false);
        // Others hear the same alarm, and it may be raised again.
        while (isLost is not null && IsGivenUp(watch, givenUp, cancellationToken) && !await isLost.IsLostAsync(pool!, connection, flow, watch, cancellationToken).ConfigureAwait(false))
        {
            givenUp = pool!.Owner.Superseded.Token;
            await watch.WaitAsync(givenUp, cancellationToken).ConfigureAwait(false);
        }

        if (watch.HasEnded) watch.Return();
        else if (!await IsStoppedAsync(watch, flow, time, givenUp).ConfigureAwait(false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new HostLostException($"Work on {connection.Host}:{connection.Port} was given up: the host is lost.");
        }

        try
        {
            return running.GetResult();
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested && e.CancellationToken != cancellationToken)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
    }

    private static bool IsGivenUp(WorkWatch watch, CancellationToken givenUp, CancellationToken cancellationToken) =>
        givenUp.IsCancellationRequested && !cancellationToken.IsCancellationRequested && !watch.HasEnded;

    /// <summary>Runs it and closes its connection. Without <paramref name="async"/> all is done when this returns, if the work is synchronous.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<T> RunToEndAsync<T>(NpgsqlConnection connection, Work<T> work, CommandFlow flow, bool async, CancellationToken stop)
    {
        CommandFlow.Current.Value = flow;   // in this method's own context, which ends with it
        try
        {
            return await work.RunAsync(connection, flow, stop).ConfigureAwait(false);
        }
        finally
        {
            flow.Leave(connection);
            if (async) await connection.DisposeAsync().ConfigureAwait(false);
            else connection.Dispose();
        }
    }

    /// <summary>Stops work that its caller has cancelled, or whose host is lost.</summary>
    /// <returns>Whether the work has ended, rather than being given up.</returns>
    private static async Task<bool> IsStoppedAsync(WorkWatch watch, CommandFlow flow, TimeProvider time, CancellationToken givenUp)
    {
        if (!givenUp.IsCancellationRequested)
        {
            _ = SlowCancellation.Usual.CancelAsync(watch.Stop);
            if (await watch.EndsWithinAsync(Grace, time, givenUp).ConfigureAwait(false)) return true;
        }

        flow.GiveUp();
        _ = SlowCancellation.Lost.CancelAsync(watch.Stop);
        // Even if it ends at this very moment, then by our cancellation.
        return false;
    }
}
