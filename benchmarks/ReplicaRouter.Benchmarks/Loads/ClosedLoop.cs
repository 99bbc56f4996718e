using System.Diagnostics;

namespace ReplicaRouter.Benchmarks.Loads;

/// <summary>Workers that run one operation after another: as many as possible, with a constant number in flight.</summary>
internal static class ClosedLoop
{
    /// <returns>Operations per second.</returns>
    public static async Task<double> RunAsync(Func<CancellationToken, Task<int>> operate, int workers, TimeSpan length, Tally tally, CancellationToken ct)
    {
        var (before, start) = (tally.Operations, Stopwatch.GetTimestamp());
        await RunAsync(operate, workers, () => Stopwatch.GetElapsedTime(start) >= length, tally, ct);
        return (tally.Operations - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public static Task RunAsync(Func<CancellationToken, Task<int>> operate, int workers, Func<bool> isOver, Tally tally, CancellationToken ct) =>
        Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            while (!isOver())
            {
                ct.ThrowIfCancellationRequested();
                await tally.MeasureAsync(operate, Stopwatch.GetTimestamp(), ct);
            }
        }, ct)));
}
