using Npgsql;

namespace ReplicaRouter.Tool.Drill;

/// <summary>Writes numbers to its own table, and at the end counts which of them are there.</summary>
internal sealed class DrillWrites : IAsyncDisposable
{
    public const string Table = "replica_router_drill";

    private readonly DatabaseRouter _router;
    private readonly HashSet<long> _acknowledged = [];
    private long _next;
    private long _unknown;

    private DrillWrites(DatabaseRouter router) => _router = router;

    /// <exception cref="PostgresException">The table already exists, or the role cannot create it.</exception>
    public static async Task<DrillWrites> StartAsync(DatabaseRouter router, CancellationToken ct)
    {
        await RunAsync(router, $"CREATE TABLE {Table} (number bigint NOT NULL)", ct);
        return new(router);
    }

    /// <returns>The host and port of the server that performed the write.</returns>
    public async Task<string> WriteAsync()
    {
        var number = ++_next;
        try
        {
            var endpoint = await RunAsync(_router, $"INSERT INTO {Table} VALUES ({number})", CancellationToken.None);
            _acknowledged.Add(number);
            return endpoint;
        }
        catch (TransactionOutcomeUnknownException)
        {
            _unknown++;
            throw;
        }
    }

    /// <summary>Counts the writes. Call it only after the last write has ended.</summary>
    public async Task<WriteReport> CountAsync(CancellationToken ct)
    {
        var there = await _router.ExecuteAsync(DatabaseOperation.Transactional, async (connection, token) =>
        {
            await using var command = new NpgsqlCommand($"SELECT number FROM {Table}", connection);
            await using var reader = await command.ExecuteReaderAsync(token);
            List<long> numbers = [];
            while (await reader.ReadAsync(token)) numbers.Add(reader.GetInt64(0));
            return numbers;
        }, ct);
        var distinct = there.ToHashSet();
        return new(_acknowledged.Count, _unknown, _acknowledged.Count(number => !distinct.Contains(number)), there.Count - distinct.Count);
    }

    public async ValueTask DisposeAsync() => await RunAsync(_router, $"DROP TABLE {Table}", CancellationToken.None);

    private static Task<string> RunAsync(DatabaseRouter router, string sql, CancellationToken ct) =>
        router.ExecuteAsync(DatabaseOperation.Write, async (connection, token) =>
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(token);
            return DrillLoad.EndpointOf(connection);
        }, ct);
}
