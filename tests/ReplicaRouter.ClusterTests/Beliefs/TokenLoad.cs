using System.Collections.Concurrent;
using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Beliefs;

/// <summary>Reads and writes through one router that continue after failures, and record which server acknowledged which write.</summary>
internal sealed class TokenLoad : IAsyncDisposable
{
    private readonly DatabaseRouter _router;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<Write> _written = new();
    private readonly Task _workers;
    private long _reads;
    private volatile Exception? _lastError;

    public TokenLoad(DatabaseRouter router)
    {
        _router = router;
        _workers = Task.WhenAll(Task.Run(() => RepeatAsync(WriteAsync)), Task.Run(() => RepeatAsync(ReadAsync)));
    }

    public long Reads => Interlocked.Read(ref _reads);

    public static async Task PrepareAsync(LocalCluster cluster)
    {
        await using var connection = Connect(cluster.Primary);
        await connection.ExecuteAsync("CREATE TABLE written (token uuid NOT NULL)");
        await cluster.WaitForReplicationAsync(TestContext.Current.CancellationToken);
    }

    public long WrittenOn(int port) => _written.Count(write => write.Port == port);

    /// <summary>The longest time between two acknowledged writes.</summary>
    public TimeSpan LongestGap => _written.Zip(_written.Skip(1), (before, after) => TimeProvider.System.GetElapsedTime(before.At, after.At)).DefaultIfEmpty().Max();

    /// <summary>Waits until a server acknowledges one more write, and returns how long that took.</summary>
    public async Task<TimeSpan> WritesOnAsync(int port, TimeSpan bound)
    {
        var (before, start) = (WrittenOn(port), TimeProvider.System.GetTimestamp());
        while (WrittenOn(port) <= before)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < bound, $"No write was acknowledged within {bound}; {_written.Count} were before. Last error: {_lastError}");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        return TimeProvider.System.GetElapsedTime(start);
    }

    /// <summary>Stops, and checks that a server holds each write that it acknowledged exactly once.</summary>
    public async Task AssertNothingIsLostOrDoubledAsync(LocalServer server)
    {
        await DisposeAsync();
        await AssertHeldAsync(server);
    }

    /// <summary>Checks that a server holds each write that it has acknowledged so far exactly once.</summary>
    public async Task AssertHeldAsync(LocalServer server)
    {
        var written = _written.Where(write => write.Port == server.Port).ToList();
        await using var connection = Connect(server);
        // Another cluster may have used the port before.
        var cluster = await connection.ExecuteScalarAsync<long>("SELECT system_identifier FROM pg_control_system()");
        var held = (await connection.QueryAsync<Guid>("SELECT token FROM written")).ToList();
        Assert.Equal(held.Count, held.Distinct().Count());
        Assert.Empty(written.Where(write => write.Cluster == cluster).Select(write => write.Token).Except(held));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _workers;
    }

    /// <summary>Connects without a pool, which could hand out connections from before a restart.</summary>
    private static NpgsqlConnection Connect(LocalServer server) => new(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false }.ConnectionString);

    private async Task WriteAsync()
    {
        var token = Guid.NewGuid();
        var (port, cluster) = await _router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.QuerySingleAsync<(int, long)>(
            "INSERT INTO written VALUES (@token) RETURNING current_setting('port')::int, (SELECT system_identifier FROM pg_control_system())", new { token }));
        _written.Enqueue(new Write(token, port, cluster, TimeProvider.System.GetTimestamp()));
    }

    private async Task ReadAsync()
    {
        await _router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteScalarAsync<int>("SELECT 1"));
        Interlocked.Increment(ref _reads);
    }

    private async Task RepeatAsync(Func<Task> once)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await once();
            }
            catch (Exception e)
            {
                // Continue: only acknowledged writes count.
                _lastError = e;
            }

            await Task.Delay(5, CancellationToken.None);
        }
    }

    /// <summary>An acknowledged write, with the port and the system identifier of its server, and the timestamp of the answer.</summary>
    private sealed record Write(Guid Token, int Port, long Cluster, long At);
}
