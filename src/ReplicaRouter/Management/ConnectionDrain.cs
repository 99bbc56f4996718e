using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Management;

/// <summary>Drains connections that get no new work, then closes their data sources.</summary>
internal sealed class ConnectionDrain(RouterConfiguration configuration, ConnectionCutter cutter, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>Completes when all is closed. Until the drain time-out, callers can use data sources that they hold.</summary>
    /// <param name="host">The host's name.</param>
    /// <param name="sources">The data sources.</param>
    /// <param name="stop">Closes all at once, because the router is disposed of.</param>
    public async Task RunAsync(string host, IReadOnlyList<HostDataSource> sources, CancellationToken stop)
    {
        foreach (var source in sources) source.Clear();
        var (start, limit) = (time.GetTimestamp(), configuration.DrainTimeout);
        try
        {
            var pause = FirstPause;
            while (limit - time.GetElapsedTime(start) is var left && left > TimeSpan.Zero)
            {
                await Task.Delay(TimeSpan.Min(pause, left), time, stop).ConfigureAwait(false);
                if (pause < LongestPause) pause *= 2;
                // Also connections opened meanwhile from a data source that a caller kept.
                foreach (var source in sources) source.Clear();
            }

            var (inUse, cut) = await cutter.CutAsync(host, sources, stop).ConfigureAwait(false);
            if (inUse > 0) Log.Cut(logger, host, inUse, limit, cut);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Disposal of the router does not wait.
        }

        foreach (var source in sources) await source.DisposeAsync().ConfigureAwait(false);
    }
}
