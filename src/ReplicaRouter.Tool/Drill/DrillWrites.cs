using Npgsql;

namespace ReplicaRouter.Tool.Drill;

/// <summary>Writes numbers to a table of its own, and counts at the end which of them are there.</summary>
internal sealed class DrillWrites : IAsyncDisposable
{
    public const string Table = "replica_router_drill";

    private readonly DatabaseRouter _router;
    private readonly HashSet<long> _acknowledged = [];
    private long _next;
    private long _unknown;

    private DrillWrites(DatabaseRouter router) => _router = router;

    /// <exception cref="PostgresException">The table is there already, or may not be created.</exception>
    public static async Task<DrillWrites> StartAsync(DatabaseRouter router, CancellationToken ct)
    {
        await RunAsync(router, $"CREATE TABLE {Table} (number bigint NOT NULL)", ct);
        return new(router);
    }

    /// <returns>The host and port that wrote it.</returns>
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

    /// <summary>To be called once nobody writes any more.</summary>
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
