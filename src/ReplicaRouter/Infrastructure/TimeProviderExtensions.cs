namespace ReplicaRouter.Infrastructure;

internal static class TimeProviderExtensions
{
    /// <summary>A time span in the units of <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public static long Ticks(this TimeProvider time, TimeSpan span) =>
        time.TimestampFrequency == TimeSpan.TicksPerSecond ? span.Ticks : (long)(span.Ticks * ((double)time.TimestampFrequency / TimeSpan.TicksPerSecond));

    /// <summary>The timestamp after some time: the last one that there is, where the time is longer than any clock will run.</summary>
    public static long After(this TimeProvider time, long timestamp, TimeSpan span)
    {
        var ticks = time.Ticks(span);
        return ticks > long.MaxValue - timestamp ? long.MaxValue : timestamp + ticks;
    }

    /// <summary>Lets the caller go on; what follows runs where the clock's timers fire.</summary>
    public static async Task YieldAsync(this TimeProvider time)
    {
        var fired = new TaskCompletionSource();
        using var timer = time.CreateTimer(static fired => ((TaskCompletionSource)fired!).TrySetResult(), fired, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        await fired.Task.ConfigureAwait(false);
    }
}
