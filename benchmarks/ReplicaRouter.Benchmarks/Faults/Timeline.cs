using System.Diagnostics;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>Points in time of one run, as shares of its length.</summary>
internal sealed class Timeline(TimeSpan length)
{
    /// <summary>The moment from which operations count.</summary>
    public long Start { get; } = Now;

    public static long Now => Stopwatch.GetTimestamp();

    /// <summary>Returns the timestamp at a share of the run.</summary>
    public long At(double share) => Start + (long)(length.TotalSeconds * share * Stopwatch.Frequency);

    public async Task UntilAsync(double share, CancellationToken ct)
    {
        var left = (length * share) - Stopwatch.GetElapsedTime(Start);
        if (left > TimeSpan.Zero) await Task.Delay(left, ct);
    }
}
