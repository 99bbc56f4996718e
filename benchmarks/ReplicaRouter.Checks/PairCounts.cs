namespace ReplicaRouter.Checks;

/// <summary>Pairs of reads, and those that went back in time. Thread-safe.</summary>
public sealed class PairCounts
{
    private long _pairs;
    private long _backInTime;

    /// <summary>Pairs so far.</summary>
    public long Pairs => Interlocked.Read(ref _pairs);

    /// <summary>Those whose second read showed less than the first.</summary>
    public long BackInTime => Interlocked.Read(ref _backInTime);

    internal void Add(bool wentBack)
    {
        Interlocked.Increment(ref _pairs);
        if (wentBack) Interlocked.Increment(ref _backInTime);
    }
}
