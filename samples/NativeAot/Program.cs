using Npgsql;
using ReplicaRouter;

await using var router = DatabaseRouter.FromEnvironment();

await router.ExecuteAsync(DatabaseOperation.Write, (connection, ct) => RunAsync(connection, "CREATE TABLE IF NOT EXISTS visit (at timestamptz NOT NULL)", ct));

using (var session = router.BeginSession())
{
    var written = await router.ExecuteAsync(DatabaseOperation.Write, async (connection, ct) =>
    {
        await RunAsync(connection, "INSERT INTO visit VALUES (now())", ct);
        return connection.Port;
    });
    var (visits, read) = await router.ExecuteAsync(DatabaseOperation.Read, async (connection, ct) =>
        ((long)(await RunAsync(connection, "SELECT count(*) FROM visit", ct))!, connection.Port));
    Console.WriteLine($"session: written on port {written}, {visits} visits read on port {read}, token of {(await session.GetTokenAsync()).Length} characters");
}

foreach (var operation in Enum.GetValues<DatabaseOperation>())
{
    var port = await router.ExecuteAsync(operation, async (connection, ct) => await RunAsync(connection, "SELECT current_setting('port')", ct));
    Console.WriteLine($"{operation}: port {port}");
}

var committed = await router.WithTransactionAsync(async (transaction, ct) => await RunAsync(transaction.Connection!, "SELECT count(*) FROM visit", ct));
Console.WriteLine($"transaction: {committed} visits");

static async Task<object?> RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
{
    await using var command = new NpgsqlCommand(sql, connection);
    return await command.ExecuteScalarAsync(ct);
}
