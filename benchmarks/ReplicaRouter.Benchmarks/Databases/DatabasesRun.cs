using System.Diagnostics;
using System.Globalization;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Databases;

/// <summary>One measurement, with real databases and real logins.</summary>
internal sealed class DatabasesRun(LocalCluster cluster, string[] databases)
{
    private const string Question = "SELECT current_database()";

    /// <summary>One database in five is read with plain Npgsql only: the first login to a database is slower on its server for any client.</summary>
    private const int PlainEvery = 5;

    private const int Calls = 2_000_000;

    /// <summary>Longer than unused databases keep their connections and pools.</summary>
    private static readonly TimeSpan s_inUse = TimeSpan.FromSeconds(75);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    public static async Task<DatabasesFigures> RunAsync(int count, int inUse, CancellationToken ct)
    {
        var options = new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "background" }], Settings = { ["max_connections"] = "400" } };
        await using var cluster = await LocalCluster.StartAsync(options, ct);
        await cluster.GrantMonitorAsync();
        string[] databases = [.. Enumerable.Range(1, count).Select(number => string.Create(CultureInfo.InvariantCulture, $"tenant_{number:0000}"))];
        await using (var admin = NpgsqlDataSource.Create(cluster.Primary.SuperuserConnectionString))
        {
            foreach (var database in databases)
            {
                // This strategy writes the least WAL.
                await using var create = admin.CreateCommand($"CREATE DATABASE {database} STRATEGY file_copy");
                await create.ExecuteNonQueryAsync(ct);
            }
        }

        await cluster.WaitForReplicationAsync(ct);
        return await new DatabasesRun(cluster, databases).MeasureAsync(inUse, ct);
    }

    private async Task<DatabasesFigures> MeasureAsync(int inUse, CancellationToken ct)
    {
        // Warm-up: the first run includes compilation.
        await using (var warm = DatabaseRouter.Create(cluster.RouterOptions())) await ReadAsync(warm, "app", ct);
        await PlainLoginAsync("app", ct);
        var before = Megabytes();
        await using var router = DatabaseRouter.Create(cluster.RouterOptions());
        await router.WaitUntilReadyAsync(ct);
        DatabaseRouter[] routers = [.. databases.Select(router.ForDatabase)];

        var (cold, plain) = (new List<double>(), new List<double>());
        foreach (var (i, database) in databases.Index())
        {
            if (i % PlainEvery == 0) plain.Add(await PlainLoginAsync(database, ct));
            else cold.Add(await ReadAsync(routers[i], database, ct));
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var reading = routers.Take(inUse).Select((each, i) => Task.Run(() => ReadOnAsync(each, databases[i], stop.Token), ct)).ToList();
        await Task.Delay(s_inUse, ct);
        var (probes, all) = await ConnectionsAsync(ct);
        var megabytes = Megabytes() - before;
        await stop.CancelAsync();
        await Task.WhenAll(reading);
        return new DatabasesFigures(databases.Length, inUse, probes, all, megabytes, Median(cold), Median(plain), GetClientNs(routers[0]));
    }

    private static async Task<double> ReadAsync(DatabaseRouter router, string database, CancellationToken ct)
    {
        var startedAt = TimeProvider.System.GetTimestamp();
        var name = await router.ExecuteAsync(DatabaseOperation.Read, async (connection, token) =>
        {
            await using var command = new NpgsqlCommand(Question, connection);
            return (string?)await command.ExecuteScalarAsync(token);
        }, ct);
        if (name != database) throw new InvalidOperationException($"A read of {database} was answered by {name}.");
        return TimeProvider.System.GetElapsedTime(startedAt).TotalMilliseconds;
    }

    private async Task<double> PlainLoginAsync(string database, CancellationToken ct)
    {
        var settings = new NpgsqlConnectionStringBuilder(cluster["analytics"].ConnectionString) { Database = database };
        var startedAt = TimeProvider.System.GetTimestamp();
        await using var source = NpgsqlDataSource.Create(settings.ConnectionString);
        await using var command = source.CreateCommand(Question);
        await command.ExecuteScalarAsync(ct);
        return TimeProvider.System.GetElapsedTime(startedAt).TotalMilliseconds;
    }

    private static async Task ReadOnAsync(DatabaseRouter router, string database, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await ReadAsync(router, database, stop);
                await Task.Delay(s_pause, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The measurement is over.
        }
    }

    private async Task<(int Probes, int All)> ConnectionsAsync(CancellationToken ct)
    {
        var (probes, all) = (0, 0);
        foreach (var server in cluster.Servers)
        {
            await using var observer = NpgsqlDataSource.Create(server.SuperuserConnectionString + ";Pooling=false");
            await using var command = observer.CreateCommand(
                "SELECT count(*) FILTER (WHERE application_name = 'ReplicaRouter probe')::int, count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");
            await using var reader = await command.ExecuteReaderAsync(ct);
            await reader.ReadAsync(ct);
            probes += reader.GetInt32(0);
            all += reader.GetInt32(1);
        }

        return (probes, all);
    }

    private static double GetClientNs(DatabaseRouter router)
    {
        for (var i = 0; i < Calls / 10; i++) router.GetClient(DatabaseOperation.Read);
        var startedAt = Stopwatch.GetTimestamp();
        for (var i = 0; i < Calls; i++) router.GetClient(DatabaseOperation.Read);
        return Stopwatch.GetElapsedTime(startedAt).TotalNanoseconds / Calls;
    }

    private static double Megabytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64 / 1e6;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
