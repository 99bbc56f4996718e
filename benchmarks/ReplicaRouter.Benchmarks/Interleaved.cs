using System.Diagnostics;

namespace ReplicaRouter.Benchmarks;

/// <summary>Measures variants of an operation in short alternating blocks, so that a disturbance of the machine affects all of them.</summary>
internal static class Interleaved
{
    private const int WarmUps = 4;
    private static readonly TimeSpan s_compilation = TimeSpan.FromMilliseconds(300);

    /// <param name="block">Operations in one turn.</param>
    /// <param name="warmUps">Warm-up turns of each variant, repeated four times.</param>
    /// <param name="rounds">Measured turns of each variant.</param>
    /// <param name="variants">The variants. Each runs the given number of operations.</param>
    public static async Task<IReadOnlyList<Timing>> MeasureAsync(int block, int warmUps, int rounds, params IReadOnlyList<Func<int, Task>> variants)
    {
        // Tiered compilation counts calls only after a delay, and compiles in the background: its last output must be warm, too.
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
                // The previous variant has filled the processor's caches: the first operations do not count.
                await variants[variant](block / 4);
                var (start, allocated) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
                await variants[variant](block);
                // Wrong for a variant that resumes on another thread, which the median ignores.
                bytes[variant].Add((double)(GC.GetAllocatedBytesForCurrentThread() - allocated) / block);
                times[variant].Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / block);
            }
        }

        return [.. variants.Select((_, i) => new Timing(times[i], Statistics.Median(bytes[i])))];
    }
}

/// <summary>Time and allocations of one variant.</summary>
/// <param name="Rounds">Nanoseconds per operation, in each round.</param>
/// <param name="Bytes">Bytes allocated per operation.</param>
internal sealed record Timing(IReadOnlyList<double> Rounds, double Bytes)
{
    public double Nanoseconds => Statistics.Median(Rounds);

    /// <summary>Returns the median of the ratios within each round.</summary>
    public double RatioTo(Timing other) => Statistics.Median(Rounds.Zip(other.Rounds, (mine, its) => mine / its));
}
