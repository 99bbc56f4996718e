using System.Diagnostics;

namespace ReplicaRouter.Benchmarks.Loads;

/// <summary>Operations that arrive independently of earlier ones, as those of many users do.</summary>
/// <remarks>
/// The time of an operation counts from when it was due: a load that falls behind shows as slow, not as a lower load. Source: G. Tene, "How NOT to
/// Measure Latency", 2015 (coordinated omission).
/// </remarks>
internal static class OpenLoop
{
    // The same arrivals for every arm.
    private const int Seed = 1;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <param name="operate">One operation.</param>
    /// <param name="rate">Average arrivals per second; the gaps between them are exponentially distributed.</param>
    /// <param name="length">Time in which they arrive.</param>
    /// <param name="tally">Records them.</param>
    /// <param name="ct">Cancels the load.</param>
    public static async Task RunAsync(Func<CancellationToken, Task<int>> operate, double rate, TimeSpan length, Tally tally, CancellationToken ct)
    {
        // A dedicated thread, as the pool's threads can be busy with the measured work.
        var arrived = await Task.Factory.StartNew(() => Dispatch(operate, rate, length, tally, ct), ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.WhenAny(Task.WhenAll(arrived.Select(arrival => arrival.Operation)), Task.Delay(s_patience, ct));
        foreach (var (due, operation) in arrived)
        {
            if (!operation.IsCompleted) tally.Took(due);
        }
    }

    private static List<(long Due, Task Operation)> Dispatch(Func<CancellationToken, Task<int>> operate, double rate, TimeSpan length, Tally tally, CancellationToken ct)
    {
        var random = new Random(Seed);
        var arrived = new List<(long, Task)>();
        var start = Stopwatch.GetTimestamp();
        for (var after = 0.0; after < length.TotalSeconds && !ct.IsCancellationRequested; after -= Math.Log(1 - random.NextDouble()) / rate)
        {
            var due = start + (long)(after * Stopwatch.Frequency);
            Sleep.Until(due);
            arrived.Add((due, Task.Run(() => tally.MeasureAsync(operate, due, ct), ct)));
        }

        return arrived;
    }
}
