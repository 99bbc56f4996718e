using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Management;

/// <summary>Drains connections that get no new work, then closes their data sources.</summary>
internal sealed class ConnectionDrain(RouterConfiguration configuration, ConnectionCutter cutter, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>Completes when all is closed. Until the drain time-out, callers can use data sources that they hold; if stopped, all is closed at once.</summary>
    public async Task RunAsync(string host, IReadOnlyList<HostDataSource> sources, CancellationToken stop)
    {
        foreach (var source in sources) source.Clear();
        var (start, limit) = (time.GetTimestamp(), configuration.DrainTimeout);
        var pause = FirstPause;
        while (!stop.IsCancellationRequested && limit - time.GetElapsedTime(start) is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(TimeSpan.Min(pause, left), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = TimeSpan.Min(2 * pause, LongestPause);
            // Also connections opened meanwhile from a data source that a caller kept.
            foreach (var source in sources) source.Clear();
        }

        // Disposal of the router does not wait.
        var (inUse, cut) = stop.IsCancellationRequested ? default : await cutter.CutAsync(host, sources, stop).ConfigureAwait(false);
        if (inUse > 0) Log.Cut(logger, host, inUse, limit, cut);
        foreach (var source in sources) await source.DisposeAsync().ConfigureAwait(false);
    }
}
