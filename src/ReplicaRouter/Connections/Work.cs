using Npgsql;

namespace ReplicaRouter;

/// <summary>What a caller wants done on a connection, once or, after a failure, again.</summary>
/// <typeparam name="T">What comes of it.</typeparam>
internal abstract class Work<T>
{
    /// <summary>Whether it is a transaction of ours: then it is done when its COMMIT is.</summary>
    public virtual bool IsTransaction => false;

    /// <summary>Does it.</summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="flow">What it has sent so far.</param>
    /// <param name="stop">Cancelled when its caller gives up, or the host is lost.</param>
    public abstract Task<T> RunAsync(NpgsqlConnection connection, CommandFlow flow, CancellationToken stop);

    /// <summary>Does it on this thread.</summary>
    public virtual T Run(NpgsqlConnection connection) => throw new NotSupportedException();
}

/// <summary>Asynchronous work.</summary>
internal sealed class AsyncWork<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work) : Work<T>
{
    public override Task<T> RunAsync(NpgsqlConnection connection, CommandFlow flow, CancellationToken stop) => work(connection, stop);
}

/// <summary>Synchronous work.</summary>
internal sealed class SyncWork<T>(Func<NpgsqlConnection, T> work) : Work<T>
{
    public override Task<T> RunAsync(NpgsqlConnection connection, CommandFlow flow, CancellationToken stop) => throw new NotSupportedException();

    public override T Run(NpgsqlConnection connection) => work(connection);
}
