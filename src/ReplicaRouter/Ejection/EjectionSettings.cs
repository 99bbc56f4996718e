namespace ReplicaRouter.Ejection;

/// <summary>The constants for ejecting slow hosts from a route's rotation, and for re-admitting them.</summary>
internal sealed record EjectionSettings
{
    public static readonly EjectionSettings Default = new();

    /// <summary>A host is silent if it finishes nothing for this multiple of what nearly all commands take.</summary>
    public const int Ratio = 2;

    /// <summary>A host that takes up to this much longer than the fastest, in ms, is not slow: the network and the scheduler vary by as much.</summary>
    public double ToleranceMs { get; init; } = 1;

    /// <summary>Samples kept of each host, up to twice as many. With more, a single sample can prove more, but the oldest are older.</summary>
    public int History { get; init; } = 256;

    /// <summary>Samples of a host before it is compared with others: the first ones run on cold connections, plans and caches.</summary>
    public int LeastSamples { get; init; } = 8;

    /// <summary>How long after its last sample a host is still used for comparison.</summary>
    public TimeSpan Fresh { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The most evidence of a single command: it may have waited for a CPU by chance.</summary>
    public double MostEvidenceOfOne { get; init; } = 2.5;

    /// <summary>Evidence that ejects a host, as a natural logarithm. Chance yields as much in less than one of exp(4) = 55 samples. One host less costs others little.</summary>
    public double Evidence { get; init; } = 4;

    /// <summary>Evidence that ejects a host if fewer than half would be left, which can overload the others. Chance yields as much in one of exp(8) = 3,000 samples.</summary>
    public double EvidenceAgainstMost { get; init; } = 8;

    /// <summary>Time before an ejected host gets a command as a trial of whether it is still slow. Doubles with each slow trial.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>The longest such time, so that a host that is fast again is back within two seconds.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMilliseconds(1600);

    /// <summary>Commands of the route per trial of an ejected host, so that one in two hundred is slow. Probes that are as fast as usual again make the trial due sooner.</summary>
    public int CommandsPerTrial { get; init; } = 200;

    /// <summary>The longest time that an ejected host waits for a trial on a route with few commands: what was learned does not hold for ever.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Slow commands of a host within this time count once: a pause of this process, or a few reports that run on the server at once, delay everything there.</summary>
    public TimeSpan HeldUpTogether { get; init; } = TimeSpan.FromMilliseconds(80);

    /// <summary>A host that finishes nothing for this long, in ms, and for longer than commands take, is skipped for the moment. Less can be due to the scheduler.</summary>
    public double LeastSilenceMs { get; init; } = 10;
}
