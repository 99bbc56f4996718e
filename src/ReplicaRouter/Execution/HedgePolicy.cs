using System.Collections.Immutable;

namespace ReplicaRouter.Execution;

/// <summary>When a read is given a second run: once it takes longer than 97 of 100 of its route, as long as second runs take less than a twentieth of the time of all reads.</summary>
/// <remarks>
/// Counted by time and not by number, as those that take long anyway are a small part of the reads and may be most of the work: run twice, they would
/// double the load. And the limit is above what is usually wanted, or it would be used up when a host gets slow.
/// </remarks>
internal sealed class HedgePolicy(int routes)
{
    /// <summary>Runs beside the first one, each when all before it have been waited for as long. Where most hosts have got slow, a second one meets another of them.</summary>
    public const int MostFurtherRuns = 2;

    private const double SlowRank = 0.97;
    private static readonly TimeSpan LeastDelay = TimeSpan.FromMilliseconds(1);

    private readonly ImmutableArray<RouteHedges> _routes = [.. Enumerable.Range(0, routes).Select(_ => new RouteHedges())];

    /// <summary>How long the first run is waited for; null while the first ones of all teach how long that is.</summary>
    public TimeSpan? DelayOf(int route)
    {
        var usual = TimeSpan.FromMilliseconds(_routes[route].Slow.Value);
        return usual == TimeSpan.Zero ? null : TimeSpan.Max(usual, LeastDelay);
    }

    /// <returns>The time that is set aside for the second run, to be given back when it ends; null when there is none left.</returns>
    public TimeSpan? TryBegin(int route) => DelayOf(route) is { } delay && _routes[route].TryBorrow(delay) ? delay : null;

    /// <summary>A second run is over: what was set aside for it is given back, and what it took is owed.</summary>
    public void SecondEnded(int route, TimeSpan setAside, TimeSpan took) => _routes[route].Owe(took - setAside);

    /// <summary>Notes how long a read took, with or without a second run. One that ended in an error does not tell how long reads take.</summary>
    public void Ended(int route, TimeSpan took, bool isAnswered = true)
    {
        _routes[route].Earn(took);
        if (isAnswered) _routes[route].Slow.Record(took.TotalMilliseconds);
    }

    private sealed class RouteHedges
    {
        private const double Share = 0.045;

        /// <summary>Second runs that may be under way at once.</summary>
        private const int Most = 5;

        /// <summary>More, where they are less work than this together. Else a moment in which all hosts are slow would leave look-ups without second runs for seconds.</summary>
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
