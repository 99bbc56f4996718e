namespace ReplicaRouter.Hosts;

/// <summary>A host's probation: how it leaves rotation and returns.</summary>
/// <remarks>
/// One answer does not prove that a host is healthy again, and a flapping host costs more than one that stays down. So it must answer
/// more than once, over a period that doubles with each flap, and then gets its load back gradually: its caches and pools are cold.
/// </remarks>
internal readonly record struct Probation
{
    private const int AnswersNeeded = 2;
    private const double LeastShare = 0.1;
    private static readonly TimeSpan FirstHold = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RelapseMemory = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan SlowStart = TimeSpan.FromSeconds(10);

    /// <summary>The probation of a new host: it must prove itself before it serves, and it is as cold as one that was out.</summary>
    public static readonly Probation Arrival = new() { IsOut = true };

    /// <summary>Whether the host is out: it failed or is new, and has not proven itself since.</summary>
    public bool IsOut { get; private init; }

    /// <summary>Consecutive failures within <see cref="RelapseMemory"/> of a return.</summary>
    public int Relapses { get; private init; }

    private int Answers { get; init; }
    private long AnsweringSince { get; init; }
    private long ReturnedAt { get; init; }
    private long RisingSince { get; init; }

    /// <summary>Timestamp at which it gets its full load again; 0 if it was never out.</summary>
    public long FullAt { get; private init; }

    public Probation Failed(long now, TimeProvider time)
    {
        if (IsOut) return this with { Answers = 0 };
        var isRelapse = FullAt != 0 && time.GetElapsedTime(ReturnedAt, now) < RelapseMemory;
        return this with { IsOut = true, Answers = 0, Relapses = isRelapse ? Relapses + 1 : 0 };
    }

    // Only replicas must prove themselves: there is no better host to use in place of the primary.
    // In a fleet, routers finish their proof one after another. That is a slow start in itself, so the time counts towards this one.
    public Probation Answered(long now, bool mustProve, TimeSpan proof, TimeProvider time)
    {
        if (!IsOut) return this;
        var next = this with { Answers = Answers + 1, AnsweringSince = Answers == 0 ? now : AnsweringSince };
        if (mustProve && (next.Answers < AnswersNeeded || time.GetElapsedTime(next.AnsweringSince, now) < Hold)) return next;
        var rising = now - time.Ticks(proof);
        return next with { IsOut = false, ReturnedAt = now, RisingSince = rising, FullAt = rising + time.Ticks(SlowStart) };
    }

    /// <summary>Returns the share of its usual load that the host gets, from <see cref="LeastShare"/> to 1.</summary>
    public double ShareAt(long now) =>
        now >= FullAt ? 1 : Math.Max(LeastShare, (now - RisingSince) / (double)(FullAt - RisingSince));

    private TimeSpan Hold => Relapses == 0 ? TimeSpan.Zero : TimeSpan.Min(FirstHold * (1 << Math.Min(Relapses - 1, 7)), LongestHold);
}
