using System.Diagnostics;

namespace ReplicaRouter.Benchmarks;

/// <summary>Variants of an operation that take turns in short blocks, so that what disturbs the machine disturbs all of them.</summary>
internal static class Interleaved
{
    private const int WarmUps = 4;
    private static readonly TimeSpan s_compilation = TimeSpan.FromMilliseconds(300);

    /// <param name="block">Operations in a row.</param>
    /// <param name="warmUps">Turns of each before anything counts, four times.</param>
    /// <param name="rounds">Turns of each.</param>
    /// <param name="variants">What is compared; each does as many operations as it is told.</param>
    public static async Task<IReadOnlyList<Timing>> MeasureAsync(int block, int warmUps, int rounds, params IReadOnlyList<Func<int, Task>> variants)
    {
        // The compiler counts calls only after a while, and then works in the background: what it made last has to be warm, too.
        for (var i = 0; i < WarmUps; i++)
        {
            for (var turn = 0; turn < warmUps; turn++)
            {
                foreach (var run in variants) await run(block);
            }

            await Task.Delay(s_compilation);
        }

        var (times, bytes) = (variants.Select(_ => new List<double>()).ToArray(), variants.Select(_ => new List<double>()).ToArray());
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < variants.Count; i++)
            {
                var variant = (round + i) % variants.Count;
                // What ran before has left its own in the processor's caches: the first ones don't count.
                await variants[variant](block / 4);
                var (start, allocated) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
                await variants[variant](block);
                // Whoever has come back on another thread allocated there, too: a median heeds it not.
                bytes[variant].Add((double)(GC.GetAllocatedBytesForCurrentThread() - allocated) / block);
                times[variant].Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / block);
            }
        }

        return [.. variants.Select((_, i) => new Timing(times[i], Statistics.Median(bytes[i])))];
    }
}

/// <summary>What one variant took.</summary>
/// <param name="Rounds">Nanoseconds an operation, in each round.</param>
/// <param name="Bytes">Allocated by an operation.</param>
internal sealed record Timing(IReadOnlyList<double> Rounds, double Bytes)
{
    public double Nanoseconds => Statistics.Median(Rounds);

    /// <summary>The median of the ratios within each round.</summary>
    public double RatioTo(Timing other) => Statistics.Median(Rounds.Zip(other.Rounds, (mine, its) => mine / its));
}
