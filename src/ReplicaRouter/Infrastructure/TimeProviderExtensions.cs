namespace ReplicaRouter.Infrastructure;

internal static class TimeProviderExtensions
{
    /// <summary>Converts a time span to the units of <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public static long Ticks(this TimeProvider time, TimeSpan span) =>
        time.TimestampFrequency == TimeSpan.TicksPerSecond ? span.Ticks : (long)(span.Ticks * ((double)time.TimestampFrequency / TimeSpan.TicksPerSecond));

    /// <summary>Returns to the caller at once; the continuation runs in a timer callback of the clock.</summary>
    public static async Task YieldAsync(this TimeProvider time)
    {
        var fired = new TaskCompletionSource();
        using var timer = time.CreateTimer(static fired => ((TaskCompletionSource)fired!).TrySetResult(), fired, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        await fired.Task.ConfigureAwait(false);
    }
}
