using System.Collections.Concurrent;
using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

/// <summary>Workers that continue after failures and record which server answered and what failed.</summary>
internal abstract class RouterLoad : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(2);
    private readonly LocalCluster _cluster;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<int, long> _answers = new();
    private readonly ConcurrentQueue<Exception> _failures = new();
    private readonly Task _workers;
    private long _slowest;

    protected RouterLoad(LocalCluster cluster, int workers)
    {
        _cluster = cluster;
        _workers = Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(RepeatAsync)));
    }

    public TimeSpan Slowest => new(Interlocked.Read(ref _slowest));

    public long CountOf(string server) => _answers.GetValueOrDefault(_cluster[server].Port);

    /// <returns>The failures.</returns>
    public async Task<IReadOnlyCollection<Exception>> StopAsync()
    {
        await _stop.CancelAsync();
        await _workers;
        return _failures;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    /// <returns>The port that the answering server reports.</returns>
    protected abstract Task<int> OnceAsync();

    private async Task RepeatAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var start = TimeProvider.System.GetTimestamp();
            try
            {
                _answers.AddOrUpdate(await OnceAsync(), 1, (_, count) => count + 1);
            }
            catch (Exception e)
            {
                _failures.Enqueue(e);
            }

            InterlockedMax(TimeProvider.System.GetElapsedTime(start).Ticks);
            await Task.Delay(s_pause);
        }
    }

    private void InterlockedMax(long ticks)
    {
        for (var known = Interlocked.Read(ref _slowest); ticks > known;)
        {
            var found = Interlocked.CompareExchange(ref _slowest, ticks, known);
            if (found == known) return;
            known = found;
        }
    }
}

/// <summary>Reads through <c>ExecuteAsync</c>.</summary>
internal sealed class ReadLoad(LocalCluster cluster, DatabaseRouter router, int workers) : RouterLoad(cluster, workers)
{
    protected override Task<int> OnceAsync() =>
        router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteScalarAsync<int>("SELECT current_setting('port')::int"));
}

/// <summary>Writes a new token each time, into a table without a unique constraint, so that a repeated write shows.</summary>
internal sealed class WriteLoad(LocalCluster cluster, DatabaseRouter router, int workers) : RouterLoad(cluster, workers)
{
    public ConcurrentQueue<Guid> Acknowledged { get; } = new();

    protected override async Task<int> OnceAsync()
    {
        var token = Guid.NewGuid();
        var port = await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) =>
            connection.ExecuteScalarAsync<int>("INSERT INTO written VALUES (@token) RETURNING current_setting('port')::int", new { token }));
        Acknowledged.Enqueue(token);
        return port;
    }
}
