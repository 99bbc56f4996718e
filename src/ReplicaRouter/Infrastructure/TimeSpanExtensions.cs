namespace ReplicaRouter.Infrastructure;

internal static class TimeSpanExtensions
{
    extension(TimeSpan)
    {
        /// <summary>As long as .NET's timers and waits can be set to: 24 days. What callers ask for beyond is as good as no limit.</summary>
        public static TimeSpan LongestWait => TimeSpan.FromMilliseconds(int.MaxValue);

        public static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

        public static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
    }
}
