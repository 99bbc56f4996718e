namespace ReplicaRouter;

/// <summary>Lets extra work be done as a share of the ordinary work, so that an outage is never made worse by what is done about it.</summary>
/// <param name="share">Extra work that each piece of ordinary work earns.</param>
/// <param name="most">Extra work that can be saved up; there is as much at the start.</param>
/// <param name="perSecond">Extra work that each second earns, for applications that do little.</param>
/// <param name="time">The clock.</param>
/// <remarks>Source: Twitter Finagle, "RetryBudget": 20 % of the requests and 10 a second.</remarks>
internal sealed class Budget(double share, double most, double perSecond, TimeProvider time)
{
    // In thousandths, so that earning is one atomic addition.
    private readonly long _earned = (long)(share * 1000);
    private readonly long _most = (long)(most * 1000);
    private readonly Lock _lock = new();
    private long _saved = (long)(most * 1000);
    private long _paidAt = time.GetTimestamp();

    public void Earn()
    {
        if (Volatile.Read(ref _saved) < _most) Interlocked.Add(ref _saved, _earned);
    }

    public bool TrySpend()
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var paid = (long)(time.GetElapsedTime(_paidAt, now).TotalSeconds * perSecond * 1000);
            if (paid > 0)
            {
                _paidAt = now;
                Interlocked.Add(ref _saved, Math.Min(paid, Math.Max(0, _most - Volatile.Read(ref _saved))));
            }

            if (Volatile.Read(ref _saved) < 1000) return false;
            Interlocked.Add(ref _saved, -1000);
            return true;
        }
    }
}
