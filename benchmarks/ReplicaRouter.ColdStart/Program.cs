using System.Diagnostics;
using System.Globalization;
using Npgsql;
using ReplicaRouter;

// Prints the milliseconds from here to the first answer. Arguments: `npgsql <connection string>`, or `router <connection strings of the primary and of each replica>`.
var start = Stopwatch.GetTimestamp();
if (args is ["router", .. var hosts])
{
    var options = new DatabaseRouterOptions();
    for (var i = 0; i < hosts.Length; i++)
    {
        options.Hosts[i == 0 ? "primary" : string.Create(CultureInfo.InvariantCulture, $"replica-{i}")] = new DatabaseHostOptions { ConnectionString = hosts[i] };
    }

    await using var router = DatabaseRouter.Create(options);
    await router.ExecuteAsync(DatabaseOperation.Read, AskAsync);
    Print();
}
else
{
    await using var source = NpgsqlDataSource.Create(args[1]);
    await using var connection = await source.OpenConnectionAsync();
    await AskAsync(connection, CancellationToken.None);
    Print();
}

void Print() => Console.WriteLine(Stopwatch.GetElapsedTime(start).TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture));

static async Task<int> AskAsync(NpgsqlConnection connection, CancellationToken ct)
{
    await using var command = new NpgsqlCommand("SELECT 1", connection);
    return (int)(await command.ExecuteScalarAsync(ct))!;
}
