namespace ReplicaRouter.Infrastructure;

internal static class TimeSpanExtensions
{
    extension(TimeSpan)
    {
        /// <summary>The longest time that .NET's timers and waits accept: 24 days. A caller's longer limit is as good as none.</summary>
        public static TimeSpan LongestWait => TimeSpan.FromMilliseconds(int.MaxValue);

        public static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

        public static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
    }
}
