using System.Runtime.CompilerServices;
using Npgsql;

namespace ReplicaRouter.Execution;

/// <summary>Runs callers' work on an open connection, and abandons it when its host is lost.</summary>
/// <remarks>
/// Npgsql cancels a command by a request over another connection, on the thread that cancels, and waits for the request to end. On a hung host that takes twice the login
/// time-out. So the work gets its own token, which is cancelled on another thread, and abandoned work is not awaited. It ends some time later, and closes its connection;
/// until then it can still do anything that its token does not prevent.
/// </remarks>
internal static class HostedWork
{
    /// <summary>On a healthy host, cancelled work ends at once. This is for work that ignores cancellation.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Runs the work, closes its connection, and abandons the work once <paramref name="givenUp"/> is cancelled: at once if <paramref name="isLost"/> is null, otherwise if it
    /// confirms that waiting is useless.
    /// </summary>
    /// <exception cref="HostLostException">The work was abandoned.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<T> RunAsync<T>(
        NpgsqlConnection connection, Work<T> work, CommandFlow flow, TimeProvider time,
        LostAnswers? isLost, HostPool? pool, CancellationToken givenUp, CancellationToken cancellationToken)
    {
        var watch = WorkWatch.Rent();
        var running = watch.Watch(RunToEndAsync(connection, work, flow, async: true, watch.Stop.Token));
        await watch.WaitAsync(givenUp, cancellationToken).ConfigureAwait(false);
        // The alarm is not specific to this work, and can be raised again.
        while (isLost is not null && IsGivenUp(watch, givenUp, cancellationToken) && !await isLost.IsLostAsync(pool!, connection, flow, watch, cancellationToken).ConfigureAwait(false))
        {
            givenUp = pool!.Owner.Superseded.Token;
            await watch.WaitAsync(givenUp, cancellationToken).ConfigureAwait(false);
        }

        if (watch.HasEnded) watch.Return();
        else if (!await IsStoppedAsync(watch, flow, time, givenUp).ConfigureAwait(false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new HostLostException($"Work on {connection.Host}:{connection.Port} was abandoned: the host hangs or is gone, another host is primary, or the answer was lost.");
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

    /// <summary>Runs the work and closes its connection. If not <paramref name="async"/> and the work is synchronous, completes before it returns.</summary>
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

    /// <summary>Stops work that its caller has cancelled or whose host is lost.</summary>
    /// <returns>Whether the work has ended. If not, it is abandoned.</returns>
    private static async Task<bool> IsStoppedAsync(WorkWatch watch, CommandFlow flow, TimeProvider time, CancellationToken givenUp)
    {
        if (!givenUp.IsCancellationRequested)
        {
            _ = SlowCancellation.Usual.CancelAsync(watch.Stop);
            if (await watch.EndsWithinAsync(Grace, time, givenUp).ConfigureAwait(false)) return true;
        }

        flow.GiveUp();
        _ = SlowCancellation.Lost.CancelAsync(watch.Stop);
        // Even if it ends right now, that is due to our cancellation.
        return false;
    }
}
