namespace ReplicaRouter.Infrastructure;

/// <summary>Limits a kind of warning to one per minute, for warnings that outside callers can cause as often as they like. Thread-safe.</summary>
internal sealed class WarningLimit(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private long? _lastAt;
    private long _heldBack;

    /// <summary>Whether a warning can be logged now, and how many were suppressed since the last one that was.</summary>
    public bool Lets(out long heldBack)
    {
        lock (_lock)
        {
            heldBack = _heldBack;
            var now = time.GetTimestamp();
            var isDue = _lastAt is not { } last || time.GetElapsedTime(last, now) >= Pause;
            (_lastAt, _heldBack) = isDue ? (now, 0) : (_lastAt, _heldBack + 1);
            return isDue;
        }
    }
}
