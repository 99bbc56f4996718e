namespace ReplicaRouter;

/// <summary>All constants by which slow hosts are left out of a route's rotation, and taken in again.</summary>
internal sealed record EjectionSettings
{
    public static readonly EjectionSettings Default = new();

    /// <summary>Up to this multiple of the fastest host's latency, a host is not slow: what is sent to hosts, and what they share with others, differs by as much.</summary>
    public const int Ratio = 2;

    /// <summary>Up to this much more than the fastest host's latency, in ms, a host is not slow: the network and the scheduler differ by as much.</summary>
    public double ToleranceMs { get; init; } = 1;

    /// <summary>Samples kept of each host, up to twice as many. With more, a single sample can tell more, but the oldest are older.</summary>
    public int History { get; init; } = 256;

    /// <summary>Samples of a host before it is compared with others: the first ones meet cold connections, plans and caches.</summary>
    public int LeastSamples { get; init; } = 8;

    /// <summary>How long after its last sample a host still serves for comparison, and how long an ejected host waits for commands of a quiet route.</summary>
    public TimeSpan Fresh { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Evidence that ejects a host, as a natural logarithm: of a host that is as fast as the others, chance gives as much in fewer than one of exp(4) = 55 samples.
    /// One host less costs the others little, and a slow one costs callers much.
    /// </summary>
    public double Evidence { get; init; } = 4;

    /// <summary>Evidence that ejects a host where fewer than half of the hosts would be left: the others may be overloaded by it. By chance, one of exp(12) = 160,000 samples.</summary>
    public double EvidenceAgainstMost { get; init; } = 12;

    /// <summary>Time before an ejected host is given a command to see whether it is still slow. It doubles with each one that is slow.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>The longest such time, so that a host that is well again is back within two seconds.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMilliseconds(1600);

    /// <summary>Commands of the route for each one that is a trial of an ejected host, so that no more than one in a hundred is slow. A probe that takes as long as usual again makes up for them.</summary>
    public int CommandsPerTrial { get; init; } = 100;

    /// <summary>Slow commands of a host that were under way together and end within this time count once: one pause of this process may have held up all of them.</summary>
    public TimeSpan HeldUpTogether { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>A host that got nothing done for so long, in ms, and for longer than commands take, is left out for the moment: less than this is the scheduler's doing.</summary>
    public double LeastSilenceMs { get; init; } = 10;
}
