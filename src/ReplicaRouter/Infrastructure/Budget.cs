namespace ReplicaRouter.Infrastructure;

/// <summary>Lets work be run again as a share of the ordinary work, so that an outage is never made worse by what is done about it.</summary>
/// <remarks>Source: Twitter Finagle, "RetryBudget": 20 % of the requests and, for applications that do little, 10 a second.</remarks>
internal sealed class Budget(TimeProvider time)
{
    // One run costs so much: earning is one atomic addition of a whole number.
    private const long Run = 1000;
    private const long Earned = Run / 5;
    private const long PerSecond = 10 * Run;

    /// <summary>What can be saved up, and is there at the start: as much as was under way on a host that fails may be run again at once.</summary>
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
