namespace ReplicaRouter.Infrastructure;

/// <summary>A clock in ms that advances in steps. Reading it takes a quarter of the time of reading a timestamp.</summary>
internal static class CoarseClock
{
    /// <summary>How far it can be behind, in ms: a tick of the Windows clock. A tick takes 1 to 10 ms on Linux.</summary>
    public const long Resolution = 20;

    public static long Coarse(this TimeProvider time) => ReferenceEquals(time, TimeProvider.System) ? Environment.TickCount64 : time.GetTimestamp() / (time.TimestampFrequency / 1000);

    /// <summary>Converts a timestamp, to within <see cref="Resolution"/>.</summary>
    public static long Coarse(this TimeProvider time, long timestamp) => time.Coarse() + (long)time.GetElapsedTime(time.GetTimestamp(), timestamp).TotalMilliseconds;
}
