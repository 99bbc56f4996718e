using Npgsql;

namespace ReplicaRouter.Benchmarks.Arms;

/// <summary>The router in place of a data source: it opens connections and does not see the work.</summary>
internal sealed class RouterConnectionArm(Reach reach) : IReadArm
{
    private readonly DatabaseRouter _router = DatabaseRouter.Create(reach.RouterOptions());

    public async Task<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct)
    {
        await using var connection = await _router.OpenConnectionAsync(DatabaseOperation.Read, ct);
        return await work(connection, ct);
    }

    public ValueTask DisposeAsync() => _router.DisposeAsync();
}
