using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ReplicaRouter.Benchmarks.Loads;

/// <summary>Sleeps with microsecond resolution. .NET's milliseconds are longer than the measured operations.</summary>
internal static partial class Sleep
{
    private const int Monotonic = 1;
    private const int IsAbsolute = 1;

    /// <param name="timestamp">A value of <see cref="Stopwatch.GetTimestamp"/>: on Linux, nanoseconds of the monotonic clock.</param>
    public static void Until(long timestamp)
    {
        var until = new TimeSpec(timestamp / Stopwatch.Frequency, timestamp % Stopwatch.Frequency);
        // A signal can end the sleep early.
        while (Stopwatch.GetTimestamp() < timestamp) _ = ClockNanosleep(Monotonic, IsAbsolute, until, 0);
    }

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    private static partial int ClockNanosleep(int clock, int flags, in TimeSpec until, nint left);

    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);
}
