namespace ReplicaRouter.Infrastructure;

/// <summary>Limits retries to a share of the ordinary work, so that retries never make an outage worse.</summary>
/// <remarks>Source: Twitter Finagle, "RetryBudget": 20 % of the requests, plus 10 retries a second for applications with little traffic.</remarks>
internal sealed class Budget(TimeProvider time)
{
    // The cost of one retry. Whole numbers, so that earning is a single atomic addition.
    private const long Run = 1000;
    private const long Earned = Run / 5;
    private const long PerSecond = 10 * Run;

    /// <summary>The initial balance, and its maximum: all work in flight on a failing host can be retried at once.</summary>
    private const long Most = 100 * Run;

    private readonly Lock _lock = new();
    private long _saved = Most;
    private long _paidAt = time.GetTimestamp();

    public void Earn()
    {
        if (Volatile.Read(ref _saved) < Most) Interlocked.Add(ref _saved, Earned);
    }

    public bool TrySpend()
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var paid = (long)(time.GetElapsedTime(_paidAt, now).TotalSeconds * PerSecond);
            if (paid > 0)
            {
                _paidAt = now;
                Interlocked.Add(ref _saved, Math.Min(paid, Math.Max(0, Most - Volatile.Read(ref _saved))));
            }

            if (Volatile.Read(ref _saved) < Run) return false;
            Interlocked.Add(ref _saved, -Run);
            return true;
        }
    }
}
