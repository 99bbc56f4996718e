namespace ReplicaRouter.Ejection;

/// <summary>What probes of an ejected host have said since its last trial.</summary>
internal enum ProbeSpeed
{
    /// <summary>Nothing, or that they take as long as usual although its commands are slow: then they tell nothing.</summary>
    Unknown,

    /// <summary>They take longer than usual.</summary>
    Slow,

    /// <summary>They take as long as usual again: whatever slowed them down is over.</summary>
    UsualAgain,
}
