namespace ReplicaRouter.Simulation;

/// <summary>What one policy made of one scenario, in the scenario's window.</summary>
internal sealed record Figures
{
    public required int Operations { get; init; }

    /// <summary>Operations that were not answered within the caller's two seconds, or were refused.</summary>
    public required long Errors { get; init; }

    public required double P50Ms { get; init; }
    public required double P99Ms { get; init; }
    public required double P999Ms { get; init; }

    /// <summary>What the replica with most commands got, as a multiple of what each would get if all got the same.</summary>
    public required double MaxShare { get; init; }

    /// <summary>The difference between the replicas with most and with fewest commands, likewise.</summary>
    public required double ShareSpread { get; init; }

    /// <summary>How far the replica that is furthest from its fair share is from it, as a part of that share.</summary>
    public required double ShareError { get; init; }

    /// <summary>Share of the commands that the faulty hosts got.</summary>
    public required double SlowShare { get; init; }

    public required double PrimaryShare { get; init; }

    /// <summary>Second runs, as a share of the operations.</summary>
    public required double HedgeShare { get; init; }

    public required long HedgesWon { get; init; }

    /// <summary>Of all processes together, on the host with most.</summary>
    public required double ProbesPerSecond { get; init; }

    public required int PeakProbesPerSecond { get; init; }
    public required int PeakLoginsPerSecond { get; init; }

    /// <summary>Over the three seconds with most: of many who come independently, a single second sees some more by chance.</summary>
    public required double LoginsPerSecond { get; init; }

    /// <summary>Commands that met a replica further behind than the route allows.</summary>
    public required long StaleReads { get; init; }

    /// <summary>How often a process took a server for lost that was well.</summary>
    public required long WrongDowns { get; init; }

    /// <summary>Most pieces of work at the primary at once, in line or under way.</summary>
    public required int PrimaryQueue { get; init; }

    public required long Events { get; init; }
    public required IReadOnlyList<SecondFigures> Seconds { get; init; }

    /// <summary>The figures without the course of time, for a compact report.</summary>
    public Figures Summary() => this with { Seconds = [] };
}

/// <summary>One second of a run.</summary>
internal readonly record struct SecondFigures(double P99Ms, int Answered, double SlowShare, int Probes, int LoginsToFaulty, int Errors);
