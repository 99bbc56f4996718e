using System.Runtime.CompilerServices;
using Npgsql;

namespace ReplicaRouter.Execution;

/// <summary>A caller's work on a connection, which can be retried after a failure.</summary>
internal abstract class Work<T>
{
    /// <summary>Whether it runs in a transaction of the router, so that it is done only after COMMIT.</summary>
    public virtual bool IsTransaction => false;

    /// <summary>Runs the work on an open connection. <paramref name="stop"/> is cancelled when its caller cancels or the host is lost.</summary>
    public abstract ValueTask<T> RunAsync(NpgsqlConnection connection, CommandFlow flow, CancellationToken stop);
}

internal sealed class AsyncWork<TState, T>(Func<NpgsqlConnection, TState, CancellationToken, Task<T>> work, TState state) : Work<T>
{
    public override ValueTask<T> RunAsync(NpgsqlConnection connection, CommandFlow flow, CancellationToken stop) => new(work(connection, state, stop));
}

/// <summary>Asynchronous work without a result.</summary>
internal sealed class AsyncWork<TState>(Func<NpgsqlConnection, TState, CancellationToken, Task> work, TState state) : Work<bool>
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<bool> RunAsync(NpgsqlConnection connection, CommandFlow flow, CancellationToken stop)
    {
        await work(connection, state, stop).ConfigureAwait(false);
        return true;
    }
}

/// <summary>Synchronous work: it is done when <see cref="RunAsync"/> returns.</summary>
internal sealed class SyncWork<TState, T>(Func<NpgsqlConnection, TState, T> work, TState state) : Work<T>
{
    public override ValueTask<T> RunAsync(NpgsqlConnection connection, CommandFlow flow, CancellationToken stop) => new(work(connection, state));
}
