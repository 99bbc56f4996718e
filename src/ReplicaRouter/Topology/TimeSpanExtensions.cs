namespace ReplicaRouter;

internal static class TimeSpanExtensions
{
    extension(TimeSpan)
    {
        public static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

        public static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
    }
}
