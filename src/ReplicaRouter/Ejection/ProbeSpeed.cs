namespace ReplicaRouter.Ejection;

/// <summary>How fast probes of an ejected host have been since its last trial.</summary>
internal enum ProbeSpeed
{
    /// <summary>Not known, or as fast as usual although the host's commands are slow, which shows nothing.</summary>
    Unknown,

    Slow,

    /// <summary>As fast as usual again: what slowed them down is over.</summary>
    UsualAgain,
}
