namespace ReplicaRouter.Hosts;

/// <summary>A host's way out of rotation and back into it.</summary>
/// <remarks>
/// One answer is no proof that a host is well again, and a host that comes and goes costs more than one that stays away. So it has to answer
/// more than once, over a time that doubles with each relapse, and then gets its load back little by little: its caches and pools are cold.
/// </remarks>
internal readonly record struct Comeback
{
    private const int AnswersNeeded = 2;
    private const double LeastShare = 0.1;
    private static readonly TimeSpan FirstHold = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RelapseMemory = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan SlowStart = TimeSpan.FromSeconds(10);

    /// <summary>Of a host that is new: it has to prove itself before it serves, and is as cold as one that was out.</summary>
    public static readonly Comeback Arrival = new() { IsOut = true };

    /// <summary>Whether the host has failed and not yet proven itself again.</summary>
    public bool IsOut { get; private init; }

    /// <summary>How often it failed again soon after it had returned.</summary>
    public int Relapses { get; private init; }

    private int Answers { get; init; }
    private long AnsweringSince { get; init; }
    private long ReturnedAt { get; init; }
    private long RisingSince { get; init; }

    /// <summary>Timestamp at which it gets its whole load again; 0 when it never was out.</summary>
    public long FullAt { get; private init; }

    public Comeback Failed(long now, TimeProvider time)
    {
        if (IsOut) return this with { Answers = 0 };
        var isRelapse = FullAt != 0 && time.GetElapsedTime(ReturnedAt, now) < RelapseMemory;
        return this with { IsOut = true, Answers = 0, Relapses = isRelapse ? Relapses + 1 : 0 };
    }

    // A replica must prove itself; there is only one primary, and no better host to wait for.
    // In a fleet, the proof lets one router after the other return, which is a slow start by itself.
    public Comeback Answered(long now, bool mustProve, TimeSpan proof, TimeProvider time)
    {
        if (!IsOut) return this;
        var next = this with { Answers = Answers + 1, AnsweringSince = Answers == 0 ? now : AnsweringSince };
        if (mustProve && (next.Answers < AnswersNeeded || time.GetElapsedTime(next.AnsweringSince, now) < Hold)) return next;
        var rising = now - time.Ticks(proof);
        return next with { IsOut = false, ReturnedAt = now, RisingSince = rising, FullAt = rising + time.Ticks(SlowStart) };
    }

    /// <summary>The share of its usual load that the host may get, up to 1.</summary>
    public double ShareAt(long now) =>
        now >= FullAt ? 1 : Math.Max(LeastShare, (now - RisingSince) / (double)(FullAt - RisingSince));

    private TimeSpan Hold => Relapses == 0 ? TimeSpan.Zero : TimeSpan.Min(FirstHold * (1 << Math.Min(Relapses - 1, 7)), LongestHold);
}
