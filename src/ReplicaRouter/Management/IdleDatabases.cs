using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Management;

/// <summary>Closes unused pools to additional databases: there can be thousands, but a server has only a few hundred connections for all of them.</summary>
internal sealed class IdleDatabases(CommandListener listener, CreatedConnections created, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>Idle time after which a database keeps no connections. Opening one again takes about 20 ms.</summary>
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Idle time after which it keeps no pools either: each has loaded the database's types, about 100 KB. A closed connection that a caller holds keeps the pools, as it
    /// belongs to one of them.
    /// </summary>
    private static readonly TimeSpan s_unused = TimeSpan.FromMinutes(1);

    private readonly ConcurrentQueue<DatabasePools> _all = [];
    private readonly List<(HostPool Pool, long At)> _forgotten = [];
    private readonly PeriodicTimer _timer = new(TimeSpan.FromSeconds(1), time);
    private Task? _loop;

    public void Add(DatabasePools database)
    {
        _all.Enqueue(database);
        lock (_forgotten) _loop ??= RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        if (_loop is not null) await _loop.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        while (await _timer.WaitForNextTickAsync().ConfigureAwait(false))
        {
            try
            {
                await SweepAsync().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                Log.DatabaseSweepFailed(logger, e);
            }
        }
    }

    private async Task SweepAsync()
    {
        listener.Recount();
        var now = time.Coarse();
        // A caller that was about to use a forgotten pool has done so by now.
        foreach (var (pool, at) in _forgotten.Where(forgotten => Since(forgotten.At, now) >= s_idle && forgotten.Pool.Busy == 0).ToList())
        {
            _forgotten.Remove((pool, at));
            await CloseAsync(pool).ConfigureAwait(false);
        }

        var held = created.Databases();
        foreach (var database in _all)
        {
            if (database.Pools.Count == 0 || database.Pools.Any(pool => pool.Busy > 0)) continue;
            var idle = Since(database.UsedAt, now);
            if (idle >= s_unused && !held.Contains(database)) _forgotten.AddRange(database.Forget().Select(pool => (pool, now)));
            else if (idle >= s_idle) foreach (var pool in database.Pools) pool.Source.Clear();
        }
    }

    private static TimeSpan Since(long coarse, long now) => TimeSpan.FromMilliseconds(now - coarse);

    private async Task CloseAsync(HostPool pool)
    {
        HostDataSource[] sources = [.. pool.Sources];
        listener.Remove(sources);
        pool.Owner.Remove(pool);
        foreach (var source in sources) await source.DisposeAsync().ConfigureAwait(false);
    }
}
