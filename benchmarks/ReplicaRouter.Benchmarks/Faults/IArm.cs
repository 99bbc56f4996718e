using Npgsql;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>One way to a cluster.</summary>
internal interface IArm : IAsyncDisposable
{
    /// <summary>Runs work once, as far as the caller can tell.</summary>
    Task<T> RunAsync<T>(bool isWrite, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct);
}
