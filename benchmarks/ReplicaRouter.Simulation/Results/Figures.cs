namespace ReplicaRouter.Simulation;

/// <summary>The figures of one policy in one scenario, within the scenario's window.</summary>
internal sealed record Figures
{
    public required int Operations { get; init; }

    /// <summary>Operations that were not answered within the caller's two seconds, or were refused.</summary>
    public required long Errors { get; init; }

    public required double P50Ms { get; init; }
    public required double P99Ms { get; init; }
    public required double P999Ms { get; init; }

    /// <summary>Commands of the busiest replica, as a multiple of the fair share.</summary>
    public required double MaxShare { get; init; }

    /// <summary>Difference between the replicas with the most and the fewest commands, as a multiple of the fair share.</summary>
    public required double ShareSpread { get; init; }

    /// <summary>Largest deviation of a replica from its fair share, as a fraction of that share.</summary>
    public required double ShareError { get; init; }

    /// <summary>Share of the commands that went to the faulty hosts.</summary>
    public required double SlowShare { get; init; }

    public required double PrimaryShare { get; init; }

    /// <summary>Hedged attempts, as a share of the operations.</summary>
    public required double HedgeShare { get; init; }

    public required long HedgesWon { get; init; }

    /// <summary>Probes a second by all processes together, on the most-probed host.</summary>
    public required double ProbesPerSecond { get; init; }

    public required int PeakProbesPerSecond { get; init; }
    public required int PeakLoginsPerSecond { get; init; }

    /// <summary>Logins a second, over the busiest three seconds: a single second has more by chance.</summary>
    public required double LoginsPerSecond { get; init; }

    /// <summary>Commands that ran on a replica whose lag exceeded the route's limit.</summary>
    public required long StaleReads { get; init; }

    /// <summary>How often a process considered a healthy server lost.</summary>
    public required long WrongDowns { get; init; }

    /// <summary>Highest number of jobs queued or in progress on the primary.</summary>
    public required int PrimaryQueue { get; init; }

    public required long Events { get; init; }
    public required IReadOnlyList<SecondFigures> Seconds { get; init; }

    /// <summary>Returns the figures without those of each second, for a compact report.</summary>
    public Figures Summary() => this with { Seconds = [] };
}

/// <summary>One second of a run.</summary>
internal readonly record struct SecondFigures(double P99Ms, int Answered, double SlowShare, int Probes, int LoginsToFaulty, int Errors);
