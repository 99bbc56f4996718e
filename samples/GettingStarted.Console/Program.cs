#region program
using Npgsql;
using ReplicaRouter;

await using var router = DatabaseRouter.FromEnvironment();

// Say what you are about to do; get a connection to the right server.
foreach (var operation in Enum.GetValues<DatabaseOperation>())
{
    var server = await router.ExecuteAsync(operation, async (connection, ct) =>
    {
        await using var command = new NpgsqlCommand("SELECT 1", connection);
        await command.ExecuteScalarAsync(ct);
        return $"{connection.Host}:{connection.Port}";
    });
    Console.WriteLine($"{operation} ran on {server}");
}

// In a session, reads see what was written before, and still go to replicas.
using (router.BeginSession())
{
    await router.ExecuteAsync(DatabaseOperation.Write, async (connection, ct) =>
    {
        const string sql = "CREATE TABLE IF NOT EXISTS visit (at timestamptz NOT NULL); INSERT INTO visit VALUES (now())";
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    });

    var visits = await router.ExecuteAsync(DatabaseOperation.Read, async (connection, ct) =>
    {
        await using var command = new NpgsqlCommand("SELECT count(*) FROM visit", connection);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    });
    Console.WriteLine($"{visits} visits");
}
#endregion
