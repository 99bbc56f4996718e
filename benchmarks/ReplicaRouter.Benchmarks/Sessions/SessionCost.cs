using System.CommandLine;
using System.Text.Json;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;
using Spectre.Console;

namespace ReplicaRouter.Benchmarks.Sessions;

/// <summary>Measures the cost of session consistency on an idle cluster, compared with plain Npgsql in the same run.</summary>
/// <remarks>
/// Compares medians of the ratios within each round. The servers flush every commit, as in production.
/// </remarks>
internal sealed class SessionCost : IAsyncDisposable
{
    private const string Read = "SELECT text FROM note WHERE id = 1";
    private const string Write = "UPDATE note SET text = text WHERE id = 1";
    private const int WarmUps = 1;

    // For the first reads of many concurrent sessions.
    private const int Workers = 8;
    private const int Seconds = 15;

    private readonly DatabaseRouter _router;
    private readonly NpgsqlDataSource _primary;
    private readonly NpgsqlDataSource _replica;

    private SessionCost(LocalCluster cluster)
    {
        _router = DatabaseRouter.Create(cluster.RouterOptions());
        _primary = NpgsqlDataSource.Create(cluster.Primary.ConnectionString);
        _replica = NpgsqlDataSource.Create(cluster["analytics"].ConnectionString);
    }

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Turns of each variant.", DefaultValueFactory = _ => 200 };
        var json = new Option<bool>("--json") { Description = "Also measures first reads after writes with eight sessions, and prints all figures as one JSON object on the last line of standard output." };
        var command = new Command("sessions", "Measures the cost of session consistency: a read in a session, and a write with its first read.") { rounds, json };
        command.SetAction((parsed, ct) => RunAsync(Math.Max(1, parsed.GetValue(rounds)), parsed.GetValue(json), ct));
        return command;
    }

    private static async Task RunAsync(int rounds, bool isJson, CancellationToken ct)
    {
        var settings = new LocalClusterOptions();
        settings.Settings["fsync"] = "on";
        await using var cluster = await LocalCluster.StartAsync(settings, ct);
        await cluster.GrantMonitorAsync();
        await using (var connection = new NpgsqlConnection(cluster.Primary.ConnectionString))
        {
            await connection.OpenAsync(ct);
            await using var command = new NpgsqlCommand("CREATE TABLE note (id int PRIMARY KEY, text text); INSERT INTO note VALUES (1, 'a note')", connection);
            await command.ExecuteNonQueryAsync(ct);
        }

        await cluster.WaitForReplicationAsync(ct);
        await using var cost = new SessionCost(cluster);
        await cost._router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), ct);
        var read = await MeasureAsync("Read", 50, rounds,
            ("router, no session", cost.RoutedReadAsync), ("router, in a session", cost.SessionReadAsync), ("Npgsql, that replica alone", cost.PlainReadAsync));
        var pair = await MeasureAsync("Write and its first read", 10, rounds,
            ("Npgsql, primary alone", cost.PlainPairAsync), ("router, in a session", cost.SessionPairAsync), ("router, strong read", cost.StrongPairAsync));
        AnsiConsole.WriteLine(cost._router.GetMetrics().Sessions.ToString());
        if (!isJson) return;
        var inStep = await FirstReads.MeasureAsync(cluster, Workers, Seconds, late: 0, writes: 0, ct);
        var late = await FirstReads.MeasureAsync(cluster, Workers, Seconds, late: 20, writes: 1000, ct);
        var waiters = await WaitingReads.MeasureAsync(cluster, ct);
        Console.WriteLine(JsonSerializer.Serialize(
            new { SessionRead = Math.Round(read, 3), WriteAndFirstRead = Math.Round(pair, 3), InStep = inStep, Late20Ms = late, ConnectionsOf1000Waiters = waiters }, JsonSerializerOptions.Web));
    }

    /// <returns>The ratio of the second variant to the first.</returns>
    private static async Task<double> MeasureAsync(string title, int block, int rounds, params (string Name, Func<int, Task> Run)[] variants)
    {
        var timings = await Interleaved.MeasureAsync(block, WarmUps, rounds, [.. variants.Select(variant => variant.Run)]);
        var table = new Table().Title(title).AddColumns("variant", "median us", "ratio to the first");
        foreach (var (variant, timing) in variants.Zip(timings)) table.AddRow(variant.Name, $"{timing.Nanoseconds / 1000:0.0}", $"{timing.RatioTo(timings[0]):0.00}");
        AnsiConsole.Write(table);
        return timings[1].RatioTo(timings[0]);
    }

    private async Task PlainReadAsync(int count)
    {
        for (var i = 0; i < count; i++) await RunAsync(await _replica.OpenConnectionAsync(), Read);
    }

    private async Task RoutedReadAsync(int count)
    {
        for (var i = 0; i < count; i++) await RunAsync(await _router.OpenConnectionAsync(DatabaseOperation.Read), Read);
    }

    private async Task SessionReadAsync(int count)
    {
        using var session = _router.BeginSession();
        for (var i = 0; i < count; i++) await RunAsync(await _router.OpenConnectionAsync(DatabaseOperation.Read), Read);
    }

    private async Task PlainPairAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await RunAsync(await _primary.OpenConnectionAsync(), Write);
            await RunAsync(await _primary.OpenConnectionAsync(), Read);
        }
    }

    private async Task StrongPairAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await RunAsync(await _router.OpenConnectionAsync(DatabaseOperation.Write), Write);
            await RunAsync(await _router.OpenConnectionAsync(DatabaseOperation.Read, new OperationOptions { Consistency = Consistency.Strong }), Read);
        }
    }

    private async Task SessionPairAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            using var session = _router.BeginSession();
            await RunAsync(await _router.OpenConnectionAsync(DatabaseOperation.Write), Write);
            await RunAsync(await _router.OpenConnectionAsync(DatabaseOperation.Read), Read);
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using (connection)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteScalarAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        await _primary.DisposeAsync();
        await _replica.DisposeAsync();
    }
}
