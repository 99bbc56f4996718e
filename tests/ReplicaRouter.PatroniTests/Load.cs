using System.Collections.Concurrent;
using Dapper;
using Npgsql;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.PatroniTests;

/// <summary>Readers and writers that continue through failures and record all results.</summary>
/// <remarks>A writer inserts a new token each time. The table has no unique constraint, so that it shows duplicates.</remarks>
internal sealed class Load : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(2);
    private readonly DatabaseRouter _router;
    private readonly CancellationTokenSource _stop = new();
    private readonly long _start = TimeProvider.System.GetTimestamp();
    private readonly ConcurrentDictionary<(int Port, bool IsStandby), long> _reads = new();
    private readonly Task _workers;

    private Load(DatabaseRouter router, int readers, int writers)
    {
        _router = router;
        var work = Enumerable.Repeat(ReadAsync, readers).Concat(Enumerable.Repeat(WriteAsync, writers));
        _workers = Task.WhenAll(work.Select(once => Task.Run(() => RepeatAsync(once))).ToList());
    }

    internal ConcurrentQueue<Acknowledgement> Writes { get; } = new();

    internal ConcurrentQueue<LoadFailure> FailedWrites { get; } = new();

    internal ConcurrentQueue<LoadFailure> FailedReads { get; } = new();

    internal TimeSpan Now => TimeProvider.System.GetElapsedTime(_start);

    /// <summary>Creates the table, waits until every node has it, and starts the load.</summary>
    internal static async Task<Load> StartAsync(DatabaseRouter router, IEnumerable<PatroniNode> nodes, CancellationToken ct)
    {
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("CREATE TABLE written (token text NOT NULL)"), ct);
        foreach (var node in nodes) await Wait.UntilAsync(_ => HasTableAsync(node), TimeSpan.FromSeconds(20), () => $"'{node.Name}' has not replayed the table.", ct);
        return new(router, readers: 6, writers: 2);
    }

    /// <summary>Returns the number of reads that a server answered as a standby.</summary>
    internal long StandbyReadsOf(PatroniNode node) => _reads.GetValueOrDefault((node.Port, true));

    internal long ReadCount => _reads.Values.Sum();

    internal async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _workers;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private static async Task<bool> HasTableAsync(PatroniNode node)
    {
        await using var connection = new NpgsqlConnection(node.ConnectionString + ";Pooling=false");
        return await connection.ExecuteScalarAsync<bool>("SELECT to_regclass('written') IS NOT NULL");
    }

    private async Task RepeatAsync(Func<Task> once)
    {
        while (!_stop.IsCancellationRequested)
        {
            await once();
            await Task.Delay(s_pause);
        }
    }

    private async Task ReadAsync()
    {
        var served = await RecordAsync("read", FailedReads, DatabaseOperation.Read, connection =>
            connection.QuerySingleAsync<(int, bool)>("SELECT current_setting('port')::int, pg_is_in_recovery() FROM (SELECT count(*) FROM (SELECT FROM written LIMIT 10) few) counted"));
        if (served is { } by) _reads.AddOrUpdate(by, 1, (_, count) => count + 1);
    }

    private async Task WriteAsync()
    {
        var token = Guid.CreateVersion7().ToString();
        var port = await RecordAsync(token, FailedWrites, DatabaseOperation.Write, connection =>
            connection.QuerySingleAsync<int>("INSERT INTO written VALUES (@token) RETURNING current_setting('port')::int", new { token }));
        if (port is { } by) Writes.Enqueue(new(token, by, Now));
    }

    private async Task<T?> RecordAsync<T>(string what, ConcurrentQueue<LoadFailure> failures, DatabaseOperation operation, Func<NpgsqlConnection, Task<T>> command)
        where T : struct
    {
        var begun = Now;
        TimeSpan? sent = null;
        try
        {
            return await _router.ExecuteAsync(operation, (connection, _) =>
            {
                sent = Now;
                return command(connection);
            });
        }
        catch (Exception e)
        {
            failures.Enqueue(new(what, begun, sent, Now, e));
            return null;
        }
    }
}
