using System.Collections.Immutable;

namespace ReplicaRouter.Execution;

/// <summary>Decides when to hedge a read: once it takes longer than 97 % of its route's reads, while hedged attempts take less than 5 % of the time of all reads.</summary>
/// <remarks>
/// The budget is time, not a number of attempts: slow reads are few but can be most of the work, and hedging all of them would double the load. The budget is above the
/// usual need, so that some is left when a host becomes slow.
/// </remarks>
internal sealed class HedgePolicy(int routes)
{
    /// <summary>Most hedged attempts per read. Each follows after as long a wait as the one before. If most hosts are slow, the first one can meet another slow host.</summary>
    public const int MaxHedges = 2;

    private const double SlowRank = 0.97;
    private static readonly TimeSpan LeastDelay = TimeSpan.FromMilliseconds(1);

    private readonly ImmutableArray<RouteHedges> _routes = [.. Enumerable.Range(0, routes).Select(_ => new RouteHedges())];

    /// <summary>Returns how long to wait for the first attempt before hedging; null before the first sample.</summary>
    public TimeSpan? DelayOf(int route)
    {
        var usual = TimeSpan.FromMilliseconds(_routes[route].Slow.Value);
        return usual == TimeSpan.Zero ? null : TimeSpan.Max(usual, LeastDelay);
    }

    /// <returns>The time reserved for the hedged attempt, to be returned when it ends; null if the budget is spent.</returns>
    public TimeSpan? TryBegin(int route) => DelayOf(route) is { } delay && _routes[route].TryBorrow(delay) ? delay : null;

    /// <summary>Replaces the reservation of a hedged attempt with the time that it took.</summary>
    public void HedgeEnded(int route, TimeSpan setAside, TimeSpan took) => _routes[route].Owe(took - setAside);

    /// <summary>Records how long a read took, hedged or not. One that ended in an error is not a latency sample.</summary>
    public void Ended(int route, TimeSpan took, bool isAnswered = true)
    {
        _routes[route].Earn(took);
        if (isAnswered) _routes[route].Slow.Record(took.TotalMilliseconds);
    }

    private sealed class RouteHedges
    {
        private const double Share = 0.045;

        /// <summary>Hedged attempts that may be in flight at once.</summary>
        private const int Most = 5;

        /// <summary>More are allowed while they total less than this. Otherwise a moment in which all hosts are slow would leave look-ups without hedges for seconds.</summary>
        private static readonly TimeSpan Little = TimeSpan.FromMilliseconds(100);

        private long _owed;

        public Quantile Slow { get; } = new(SlowRank);

        public bool TryBorrow(TimeSpan time)
        {
            if (Volatile.Read(ref _owed) > Math.Max((Most - 1) * time.Ticks, Little.Ticks)) return false;
            Owe(time);
            return true;
        }

        public void Owe(TimeSpan time) => Interlocked.Add(ref _owed, time.Ticks);

        public void Earn(TimeSpan time)
        {
            if (Volatile.Read(ref _owed) > 0) Owe(-Share * time);
        }
    }
}
