namespace ReplicaRouter.Infrastructure;

/// <summary>A clock in ms that is read in a quarter of the time that a timestamp takes, and advances in steps.</summary>
internal static class CoarseClock
{
    /// <summary>It is at most so much behind, in ms: a tick of Windows' clock; Linux' takes 1 to 10.</summary>
    public const long Resolution = 20;

    /// <summary>The present moment.</summary>
    public static long Coarse(this TimeProvider time) => ReferenceEquals(time, TimeProvider.System) ? Environment.TickCount64 : time.GetTimestamp() / (time.TimestampFrequency / 1000);

    /// <summary>The moment of a timestamp, give or take <see cref="Resolution"/>.</summary>
    public static long Coarse(this TimeProvider time, long timestamp) => time.Coarse() + (long)time.GetElapsedTime(time.GetTimestamp(), timestamp).TotalMilliseconds;
}
