using Npgsql;

namespace ReplicaRouter.Benchmarks.Arms;

/// <summary>One way to read from a cluster and to write to it.</summary>
internal interface IArm : IReadArm
{
    /// <inheritdoc cref="IReadArm.ReadAsync"/>
    Task<T> WriteAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct);
}
