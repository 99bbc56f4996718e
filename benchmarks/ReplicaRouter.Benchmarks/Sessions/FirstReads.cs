using System.Collections.Concurrent;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;
using Spectre.Console;

namespace ReplicaRouter.Benchmarks.Sessions;

/// <summary>Measures which server answers the first read after a write in a session, and how long it takes, with many workers and late replicas.</summary>
internal sealed class FirstReads : IAsyncDisposable
{
    private const string Write = "UPDATE note SET value = $1 WHERE id = $2";
    private const string Read = "SELECT value, pg_is_in_recovery() FROM note WHERE id = $1";
    private const int Writers = 4;

    private static readonly TimeSpan s_turn = TimeSpan.FromSeconds(1);

    private readonly DatabaseRouter _router;
    private readonly NpgsqlDataSource _primary;
    private readonly NpgsqlDataSource[] _standbys;
    private readonly int _workers;
    private long _value;

    private FirstReads(LocalCluster cluster, int workers)
    {
        _router = DatabaseRouter.Create(cluster.RouterOptions());
        _primary = NpgsqlDataSource.Create(cluster.Primary.ConnectionString);
        _standbys = [.. cluster.Servers.Where(server => server != cluster.Primary).Select(server => NpgsqlDataSource.Create(server.ConnectionString))];
        _workers = workers;
    }

    public static Command Command()
    {
        var workers = new Option<int>("--workers") { Description = "Concurrent sessions that write and read.", DefaultValueFactory = _ => 8 };
        var seconds = new Option<int>("--seconds") { Description = "Seconds for each variant, in turns of one second.", DefaultValueFactory = _ => 15 };
        var late = new Option<int>("--late-ms") { Description = "Delay of the replicas' replay in ms.", DefaultValueFactory = _ => 0 };
        var writes = new Option<int>("--writes") { Description = "Additional writes per second outside the sessions.", DefaultValueFactory = _ => 0 };
        var flush = new Option<bool>("--no-fsync") { Description = "Turns fsync off on all servers." };
        var command = new Command("first-reads", "Measures where and how fast the first read after a session's write is answered.") { workers, seconds, late, writes, flush };
        command.SetAction((parsed, ct) => RunAsync(
            Math.Max(1, parsed.GetValue(workers)), Math.Max(1, parsed.GetValue(seconds)), parsed.GetValue(late), parsed.GetValue(writes), !parsed.GetValue(flush), ct));
        return command;
    }

    private static async Task<int> RunAsync(int workers, int seconds, int late, int writes, bool isFlushed, CancellationToken ct)
    {
        var settings = new LocalClusterOptions();
        settings.Settings["fsync"] = isFlushed ? "on" : "off";
        await using var cluster = await LocalCluster.StartAsync(settings, ct);
        await cluster.GrantMonitorAsync();
        return (await MeasureAsync(cluster, workers, seconds, late, writes, ct)).Stale == 0 ? 0 : 1;
    }

    /// <param name="cluster">The cluster, without a table <c>note</c>.</param>
    /// <param name="workers">Concurrent sessions that write and read.</param>
    /// <param name="seconds">Seconds for each variant, in turns of one second.</param>
    /// <param name="late">Delay of the replicas' replay in ms.</param>
    /// <param name="writes">Additional writes per second outside the sessions.</param>
    /// <param name="ct">Cancels the measurement.</param>
    public static async Task<FirstReadFigures> MeasureAsync(LocalCluster cluster, int workers, int seconds, int late, int writes, CancellationToken ct)
    {
        await using var reads = new FirstReads(cluster, workers);
        await using (var create = reads._primary.CreateCommand(
            $"DROP TABLE IF EXISTS note; CREATE TABLE note (id int PRIMARY KEY, value bigint); INSERT INTO note SELECT id, 0 FROM generate_series(0, {workers + Writers - 1}) AS id"))
        {
            await create.ExecuteNonQueryAsync(ct);
        }

        await cluster.WaitForReplicationAsync(ct);
        await reads._router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), ct);
        foreach (var server in cluster.Servers.Where(server => server != cluster.Primary)) await server.SetApplyDelayAsync(TimeSpan.FromMilliseconds(late), ct);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var writing = Task.WhenAll(Enumerable.Range(0, writes > 0 ? Writers : 0).Select(i => reads.WriteOnAsync(workers + i, TimeSpan.FromSeconds((double)Writers / writes), ended.Token)));
        var (alone, byHand, routed) = (new ConcurrentBag<Pair>(), new ConcurrentBag<Pair>(), new ConcurrentBag<Pair>());
        // The first turn of each warms up.
        for (var turn = 0; turn <= seconds; turn++)
        {
            await reads.TurnAsync(reads.PlainPairAsync, turn == 0 ? [] : alone);
            await reads.TurnAsync(reads.ByHandPairAsync, turn == 0 ? [] : byHand);
            await reads.TurnAsync(reads.SessionPairAsync, turn == 0 ? [] : routed);
        }

        await ended.CancelAsync();
        await writing;
        return Print(alone, byHand, routed, reads._router.GetMetrics().Sessions);
    }

    private async Task TurnAsync(Func<int, Task<Pair>> pairAsync, ConcurrentBag<Pair> pairs)
    {
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, _workers).Select(worker => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(start) < s_turn) pairs.Add(await pairAsync(worker));
        })));
    }

    private async Task<Pair> PlainPairAsync(int worker)
    {
        var value = Interlocked.Increment(ref _value);
        var start = Stopwatch.GetTimestamp();
        await WriteAsync(await _primary.OpenConnectionAsync(), worker, value);
        var written = Stopwatch.GetTimestamp();
        return await ReadAsync(await _primary.OpenConnectionAsync(), worker, value, start, written);
    }

    /// <summary>What an application does without a router: takes its write's position from the primary, and asks a standby until it has replayed it.</summary>
    private async Task<Pair> ByHandPairAsync(int worker)
    {
        var value = Interlocked.Increment(ref _value);
        var start = Stopwatch.GetTimestamp();
        NpgsqlLogSequenceNumber position;
        await using (var connection = await _primary.OpenConnectionAsync())
        {
            await WriteOverAsync(connection, worker, value);
            position = await PositionAsync(connection, "SELECT pg_current_wal_insert_lsn()");
        }

        var written = Stopwatch.GetTimestamp();
        var standby = await _standbys[worker % _standbys.Length].OpenConnectionAsync();
        while (await PositionAsync(standby, "SELECT pg_last_wal_replay_lsn()") < position)
        {
            // It asks again at once.
        }

        return await ReadAsync(standby, worker, value, start, written);
    }

    private static async Task<NpgsqlLogSequenceNumber> PositionAsync(NpgsqlConnection connection, string question)
    {
        await using var command = new NpgsqlCommand(question, connection);
        return (NpgsqlLogSequenceNumber)(await command.ExecuteScalarAsync())!;
    }

    private async Task<Pair> SessionPairAsync(int worker)
    {
        var value = Interlocked.Increment(ref _value);
        using var session = _router.BeginSession();
        var start = Stopwatch.GetTimestamp();
        await WriteAsync(await _router.OpenConnectionAsync(DatabaseOperation.Write), worker, value);
        var written = Stopwatch.GetTimestamp();
        return await ReadAsync(await _router.OpenConnectionAsync(DatabaseOperation.Read), worker, value, start, written);
    }

    private async Task WriteOnAsync(int id, TimeSpan interval, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(Math.Max(1, interval.TotalMilliseconds)));
        try
        {
            while (await timer.WaitForNextTickAsync(ct)) await WriteAsync(await _primary.OpenConnectionAsync(ct), id, 1);
        }
        catch (OperationCanceledException)
        {
            // The measurement is over.
        }
    }

    private static async Task WriteAsync(NpgsqlConnection connection, int id, long value)
    {
        await using (connection) await WriteOverAsync(connection, id, value);
    }

    private static async Task WriteOverAsync(NpgsqlConnection connection, int id, long value)
    {
        await using var command = new NpgsqlCommand(Write, connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = value }, new NpgsqlParameter<int> { TypedValue = id } } };
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<Pair> ReadAsync(NpgsqlConnection connection, int id, long written, long start, long writtenAt)
    {
        await using (connection)
        {
            await using var command = new NpgsqlCommand(Read, connection) { Parameters = { new NpgsqlParameter<int> { TypedValue = id } } };
            await using var reader = await command.ExecuteReaderAsync();
            await reader.ReadAsync();
            var (value, isReplica) = (reader.GetInt64(0), reader.GetBoolean(1));
            var now = Stopwatch.GetTimestamp();
            return new Pair(Stopwatch.GetElapsedTime(start, now).TotalMilliseconds, Stopwatch.GetElapsedTime(writtenAt, now).TotalMilliseconds, isReplica, value < written);
        }
    }

    private static FirstReadFigures Print(IReadOnlyCollection<Pair> alone, IReadOnlyCollection<Pair> byHand, IReadOnlyCollection<Pair> routed, SessionMetrics sessions)
    {
        var table = new Table().AddColumns("variant", "pairs", "pair ms, median", "read ms, median", "read ms, p99", "reads on replicas", "stale");
        foreach (var (name, pairs) in new[] { ("Npgsql, primary alone", alone), ("Npgsql, standby by hand", byHand), ("router, in a session", routed) })
        {
            string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
            table.AddRow(name, Format(pairs.Count, "0"), Format(At(pairs, pair => pair.Whole, 0.5), "0.00"), Format(At(pairs, pair => pair.Read, 0.5), "0.00"),
                Format(At(pairs, pair => pair.Read, 0.99), "0.00"), Format(pairs.Average(pair => pair.IsOnReplica ? 100.0 : 0), "0.0") + " %", Format(pairs.Count(pair => pair.IsStale), "0"));
        }

        AnsiConsole.Write(table);
        var median = At(routed, pair => pair.Whole, 0.5);
        var (ratio, toByHand) = (median / At(alone, pair => pair.Whole, 0.5), median / At(byHand, pair => pair.Whole, 0.5));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"The pair takes {ratio:0.00} times as long as on the primary alone, {toByHand:0.00} times as long as by hand. {sessions}"));
        return new FirstReadFigures(Math.Round(ratio, 3), Math.Round(toByHand, 3), Math.Round(routed.Average(pair => pair.IsOnReplica ? 1.0 : 0), 3),
            Math.Round(At(routed, pair => pair.Read, 0.99), 2), routed.Count(pair => pair.IsStale));
    }

    private static double At(IReadOnlyCollection<Pair> pairs, Func<Pair, double> value, double share)
    {
        var sorted = pairs.Select(value).Order().ToList();
        return sorted[(int)((sorted.Count - 1) * share)];
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        await _primary.DisposeAsync();
        foreach (var standby in _standbys) await standby.DisposeAsync();
    }

    /// <summary>A write and the read after it.</summary>
    /// <param name="Whole">Duration of both in ms.</param>
    /// <param name="Read">Duration of the read in ms, including opening the connection.</param>
    /// <param name="IsOnReplica">Whether a replica served the read.</param>
    /// <param name="IsStale">Whether it did not show the write.</param>
    private readonly record struct Pair(double Whole, double Read, bool IsOnReplica, bool IsStale);
}
