namespace ReplicaRouter.Ejection;

/// <summary>All constants by which slow hosts are left out of a route's rotation, and taken in again.</summary>
internal sealed record EjectionSettings
{
    public static readonly EjectionSettings Default = new();

    /// <summary>A host that got nothing done for this multiple of what nearly all commands take is silent.</summary>
    public const int Ratio = 2;

    /// <summary>Up to this much more than the fastest host's latency, in ms, a host is not slow: the network and the scheduler differ by as much.</summary>
    public double ToleranceMs { get; init; } = 1;

    /// <summary>Samples kept of each host, up to twice as many. With more, a single sample can tell more, but the oldest are older.</summary>
    public int History { get; init; } = 256;

    /// <summary>Samples of a host before it is compared with others: the first ones meet cold connections, plans and caches.</summary>
    public int LeastSamples { get; init; } = 8;

    /// <summary>How long after its last sample a host still serves for comparison.</summary>
    public TimeSpan Fresh { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The most that a single command tells: it may have waited for a processor by chance.</summary>
    public double MostEvidenceOfOne { get; init; } = 2.5;

    /// <summary>Evidence that ejects a host, as a natural logarithm: chance gives as much in fewer than one of exp(4) = 55 samples. One host less costs the others little.</summary>
    public double Evidence { get; init; } = 4;

    /// <summary>Evidence that ejects a host where fewer than half of the hosts would be left: the others may be overloaded by it. By chance, in one of exp(8) = 3,000 samples.</summary>
    public double EvidenceAgainstMost { get; init; } = 8;

    /// <summary>Time before an ejected host is given a command to see whether it is still slow. It doubles with each one that is slow.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>The longest such time, so that a host that is well again is back within two seconds.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMilliseconds(1600);

    /// <summary>Commands of the route for each one that is a trial of an ejected host, so that one in two hundred is slow. A probe that takes as long as usual again makes up for them.</summary>
    public int CommandsPerTrial { get; init; } = 200;

    /// <summary>The longest time that an ejected host waits for its trial where the route has few commands: nothing is learnt for ever.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Slow commands of a host within this time count once: a pause of this process, or a few reports that a server does at once, hold up all that is there.</summary>
    public TimeSpan HeldUpTogether { get; init; } = TimeSpan.FromMilliseconds(80);

    /// <summary>A host that got nothing done for so long, in ms, and for longer than commands take, is left out for the moment: less than this is the scheduler's doing.</summary>
    public double LeastSilenceMs { get; init; } = 10;
}
