namespace ReplicaRouter.Infrastructure;

/// <summary>Limits a kind of warning to one per minute, for warnings that outside callers can cause as often as they like. Thread-safe.</summary>
internal sealed class WarningLimit(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private long? _lastAt;
    private long _heldBack;

    /// <summary>Whether a warning can be logged now.</summary>
    /// <param name="heldBack">The number of warnings suppressed since the last one that was logged.</param>
    public bool Lets(out long heldBack)
    {
        lock (_lock)
        {
            heldBack = _heldBack;
            var now = time.GetTimestamp();
            if (_lastAt is { } last && time.GetElapsedTime(last, now) < Pause)
            {
                _heldBack++;
                return false;
            }

            (_lastAt, _heldBack) = (now, 0);
            return true;
        }
    }
}
