using Npgsql;

namespace ReplicaRouter.Benchmarks.Arms;

/// <summary>One way to read from a cluster.</summary>
internal interface IReadArm : IAsyncDisposable
{
    /// <summary>Runs work once, as far as the caller can tell.</summary>
    Task<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct);
}
