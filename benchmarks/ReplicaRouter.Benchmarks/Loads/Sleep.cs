using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ReplicaRouter.Benchmarks.Loads;

/// <summary>Sleeps to the microsecond, where .NET knows milliseconds: longer than what is measured takes.</summary>
internal static partial class Sleep
{
    private const int Monotonic = 1;
    private const int IsAbsolute = 1;

    /// <param name="timestamp">As <see cref="Stopwatch.GetTimestamp"/> gives it: on Linux the nanoseconds of the monotonic clock.</param>
    public static void Until(long timestamp)
    {
        var until = new TimeSpec(timestamp / Stopwatch.Frequency, timestamp % Stopwatch.Frequency);
        // A signal ends the sleep early.
        while (Stopwatch.GetTimestamp() < timestamp) _ = ClockNanosleep(Monotonic, IsAbsolute, until, 0);
    }

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    private static partial int ClockNanosleep(int clock, int flags, in TimeSpec until, nint left);

    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);
}
