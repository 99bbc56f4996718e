using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Management;

/// <summary>Cuts writable routes' connections to a fenced server: rows written there will be lost, and a LISTEN there receives no more notifications.</summary>
/// <remarks>A server that is already in recovery has closed such connections itself. An unreachable one is handled once it answers.</remarks>
internal sealed class FencedWriters(TopologyStore store, HostRegistry registry, ConnectionCutter cutter, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>Cuts repeatedly: callers can open more connections from a data source that they kept.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<HostPools, Task> _underWay = [];

    public void OnChanged(TopologySnapshot before, TopologySnapshot after)
    {
        foreach (var host in after.Hosts)
        {
            if (host.State == HostState.Fenced && before.Find(host.Configuration)?.State != HostState.Fenced) Start(registry.PoolsOf(host.Configuration));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        Task[] underWay;
        lock (_lock) underWay = [.. _underWay.Values];
        await Task.WhenAll(underWay).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private void Start(HostPools pools)
    {
        lock (_lock)
        {
            if (!_stop.IsCancellationRequested && !_underWay.ContainsKey(pools)) _underWay[pools] = CutAsync(pools);
        }
    }

    private async Task CutAsync(HostPools pools)
    {
        // Yield, so that the other listeners of the change are not delayed.
        await time.YieldAsync().ConfigureAwait(false);
        while (!_stop.IsCancellationRequested)
        {
            lock (_lock)
            {
                // Under the lock, so that a host that is fenced again at this moment is not missed.
                if (store.Current.Find(pools.Host) is not { State: HostState.Fenced })
                {
                    _underWay.Remove(pools);
                    return;
                }
            }

            List<HostDataSource> sources = [.. pools.Everything.Where(pool => !pool.Plan.IsReadOnly).SelectMany(pool => pool.Sources)];
            foreach (var source in sources) source.Clear();
            var (_, cut) = await cutter.CutAsync(pools.Host.Name, sources, _stop.Token).ConfigureAwait(false);
            if (cut > 0) Log.WritersCut(logger, pools.Host.Name, cut);
            await Task.Delay(Interval, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
