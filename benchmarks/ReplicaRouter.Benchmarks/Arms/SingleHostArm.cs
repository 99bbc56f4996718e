using Npgsql;

namespace ReplicaRouter.Benchmarks.Arms;

/// <summary>A plain data source for one address.</summary>
internal sealed class SingleHostArm(string connectionString) : IReadArm
{
    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(connectionString);

    public Task<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct) => _source.RunAsync(work, ct);

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
