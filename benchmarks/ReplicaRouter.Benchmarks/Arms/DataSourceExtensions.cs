using Npgsql;

namespace ReplicaRouter.Benchmarks.Arms;

internal static class DataSourceExtensions
{
    /// <summary>Runs work on a pooled connection.</summary>
    public static async Task<T> RunAsync<T>(this NpgsqlDataSource source, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return await work(connection, ct);
    }
}
