using System.Runtime.CompilerServices;
using Npgsql;

namespace ReplicaRouter.Execution;

/// <summary>What a caller wants done on a connection, once or, after a failure, again.</summary>
/// <typeparam name="T">What comes of it.</typeparam>
internal abstract class Work<T>
{
    /// <summary>Whether it is a transaction of ours: then it is done when its COMMIT is.</summary>
    public virtual bool IsTransaction => false;

    /// <summary>Does it on an open connection. <paramref name="stop"/> is cancelled when its caller gives up, or the host is lost.</summary>
    public abstract ValueTask<T> RunAsync(NpgsqlConnection connection, CommandFlow flow, CancellationToken stop);
}

/// <summary>Asynchronous work with a result.</summary>
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
