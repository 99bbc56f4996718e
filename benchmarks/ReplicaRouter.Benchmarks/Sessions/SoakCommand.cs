using System.CommandLine;
using System.Globalization;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Sessions;

/// <summary>Runs very many sessions one after another, and looks for memory leaks.</summary>
internal static class SoakCommand
{
    private const int Workers = 8;
    private const int Readings = 10;

    public static Command Create()
    {
        var sessions = new Option<int>("--sessions") { Description = "Total number of sessions. All read, and one in a hundred writes.", DefaultValueFactory = _ => 1_000_000 };
        var command = new Command("soak", "Begins and ends very many sessions, and prints the memory in use after each tenth of them.") { sessions };
        command.SetAction((parsed, ct) => RunAsync(Math.Max(Readings, parsed.GetValue(sessions)), ct));
        return command;
    }

    private static async Task<int> RunAsync(int sessions, CancellationToken ct)
    {
        await using var cluster = await LocalCluster.StartAsync(cancellationToken: ct);
        await using var router = DatabaseRouter.Create(cluster.RouterOptions());
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), ct);
        await RunAsync(router, DatabaseOperation.Write, "CREATE TABLE note (id int)", ct);

        var inUse = new List<long>();
        for (var reading = 1; reading <= Readings; reading++)
        {
            await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(() => SessionsAsync(router, sessions / Readings / Workers, ct), ct)));
            inUse.Add(GC.GetTotalMemory(forceFullCollection: true));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(long)sessions * reading / Readings,9} sessions: {inUse[^1] / 1e6:0.00} MB in use, {Environment.WorkingSet / 1e6:0} MB resident"));
        }

        // The first readings still fill pools and caches.
        var growth = inUse[^1] - inUse[Readings / 2];
        var isFlat = growth < 1_000_000;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(isFlat ? "flat" : "GROWS")}: {growth / 1e6:+0.00;-0.00} MB over the second half; {router.GetMetrics().Sessions}"));
        return isFlat ? 0 : 1;
    }

    private static async Task SessionsAsync(DatabaseRouter router, int count, CancellationToken ct)
    {
        for (var i = 0; i < count; i++)
        {
            using var session = router.BeginSession();
            if (i % 100 == 0) await RunAsync(router, DatabaseOperation.Write, "INSERT INTO note VALUES (1)", ct);
            await RunAsync(router, DatabaseOperation.Read, "SELECT 1", ct);
        }
    }

    private static Task RunAsync(DatabaseRouter router, DatabaseOperation operation, string sql, CancellationToken ct) => router.ExecuteAsync(operation, async (connection, inner) =>
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(inner);
    }, ct);
}
