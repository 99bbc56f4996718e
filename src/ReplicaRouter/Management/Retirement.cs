using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Management;

/// <summary>Lets connections finish that lead where nothing new is sent, then closes what they were taken from.</summary>
internal sealed class Retirement(RouterConfiguration configuration, ConnectionCutter cutter, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>Ends when all is closed. Data sources that callers hold can be used for as long as the limit is.</summary>
    /// <param name="host">The host's name.</param>
    /// <param name="sources">What connections were taken from.</param>
    /// <param name="stop">Closes all at once, as the router is disposed of.</param>
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
                // What was opened by a data source that a caller has kept since.
                foreach (var source in sources) source.Clear();
            }

            var (inUse, cut) = await cutter.CutAsync(host, sources, stop).ConfigureAwait(false);
            if (inUse > 0) Log.Cut(logger, host, inUse, limit, cut);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Whoever disposes of the router waits for nothing.
        }

        foreach (var source in sources) await source.DisposeAsync().ConfigureAwait(false);
    }
}
