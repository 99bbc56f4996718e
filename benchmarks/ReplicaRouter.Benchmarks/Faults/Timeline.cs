using System.Diagnostics;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>The time of one run, by shares of its length.</summary>
internal sealed class Timeline(TimeSpan length)
{
    /// <summary>The moment from which on operations count.</summary>
    public long Start { get; } = Now;

    public static long Now => Stopwatch.GetTimestamp();

    public async Task UntilAsync(double share, CancellationToken ct)
    {
        var left = (length * share) - Stopwatch.GetElapsedTime(Start);
        if (left > TimeSpan.Zero) await Task.Delay(left, ct);
    }
}
