using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>When a read is given a second run: once it takes longer than 19 of 20 of its route, and at most one in twenty is.</summary>
internal sealed class HedgePolicy(int routes, TimeProvider time)
{
    /// <summary>
    /// What a run that was beaten by a later one would have taken, as a multiple of what it had taken when it was stopped. A guess, and a high one: it seldom
    /// happens to a host that is well, and to a slow one each time.
    /// </summary>
    public const double Beaten = 3;

    private static readonly TimeSpan LeastDelay = TimeSpan.FromMilliseconds(2);

    private readonly Budget _budget = new(share: 0.05, most: 5, perSecond: 0, time);
    private readonly ImmutableArray<Quantile> _slow = [.. Enumerable.Range(0, routes).Select(_ => new Quantile(0.95))];

    /// <summary>How long the first run is waited for; null while the first ones of all teach how long that is.</summary>
    public TimeSpan? DelayOf(int route)
    {
        var usual = TimeSpan.FromMilliseconds(_slow[route].Value);
        return usual == TimeSpan.Zero ? null : usual > LeastDelay ? usual : LeastDelay;
    }

    public bool TryBegin() => _budget.TrySpend();

    /// <summary>Notes how long a read took, with or without a second run.</summary>
    public void Ended(int route, TimeSpan took)
    {
        _budget.Earn();
        _slow[route].Record(took.TotalMilliseconds);
    }
}
