namespace ReplicaRouter.Infrastructure;

/// <summary>Lets one warning of a kind through a minute, for what callers from outside can bring about as often as they like. Thread-safe.</summary>
internal sealed class WarningLimit(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private long? _lastAt;
    private long _heldBack;

    /// <param name="heldBack">How many were held back since the last one that was let through.</param>
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
