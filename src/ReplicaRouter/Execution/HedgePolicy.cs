namespace ReplicaRouter.Execution;

/// <summary>Decides when to hedge a read of one route: once it takes longer than 97 % of them, while hedged attempts take less than 5 % of the time of all.</summary>
/// <remarks>
/// The budget is time, not a number of attempts: slow reads are few but can be most of the work, and hedging all of them would double the load. The budget is above the
/// usual need, so that some is left when a host becomes slow.
/// </remarks>
internal sealed class HedgePolicy
{
    /// <summary>Most hedged attempts per read. Each follows after as long a wait as the one before. If most hosts are slow, the first one can meet another slow host.</summary>
    public const int MaxHedges = 2;

    private const double SlowRank = 0.97;
    private const double Share = 0.045;

    /// <summary>Hedged attempts that may be in flight at once.</summary>
    private const int Most = 5;

    /// <summary>More are allowed while they total less than this. Otherwise a moment in which all hosts are slow would leave look-ups without hedges for seconds.</summary>
    private static readonly TimeSpan Little = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan LeastDelay = TimeSpan.FromMilliseconds(1);

    private readonly Quantile _slow = new(SlowRank);
    private long _owed;

    /// <summary>How long to wait for the first attempt before hedging; null before the first sample.</summary>
    public TimeSpan? Delay => _slow.Value is > 0 and var usual ? TimeSpan.Max(TimeSpan.FromMilliseconds(usual), LeastDelay) : null;

    /// <returns>The time reserved for the hedged attempt, to be returned when it ends; null if the budget is spent.</returns>
    public TimeSpan? TryBegin()
    {
        if (Delay is not { } delay || Volatile.Read(ref _owed) > Math.Max((Most - 1) * delay.Ticks, Little.Ticks)) return null;
        Owe(delay);
        return delay;
    }

    /// <summary>Replaces the reservation of a hedged attempt with the time that it took.</summary>
    public void HedgeEnded(TimeSpan setAside, TimeSpan took) => Owe(took - setAside);

    /// <summary>Records how long a read took, hedged or not. One that ended in an error is not a latency sample.</summary>
    public void Ended(TimeSpan took, bool isAnswered = true)
    {
        if (Volatile.Read(ref _owed) > 0) Owe(-Share * took);
        if (isAnswered) _slow.Record(took.TotalMilliseconds);
    }

    private void Owe(TimeSpan time) => Interlocked.Add(ref _owed, time.Ticks);
}
