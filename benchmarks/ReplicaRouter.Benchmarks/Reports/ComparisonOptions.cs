namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>What is to be measured, and how thoroughly.</summary>
internal sealed record ComparisonOptions
{
    public const string Micro = "micro";
    public const string Steady = "steady";
    public const string Hedging = "hedging";
    public const string Memory = "memory";

    /// <summary>Scenarios by name; empty for all.</summary>
    public required IReadOnlyList<string> Scenarios { get; init; }

    /// <summary>Arms by name; empty for all.</summary>
    public required IReadOnlyList<string> Arms { get; init; }

    public required int Rounds { get; init; }

    /// <summary>Rounds of the scenarios with slow replicas.</summary>
    public required int SlowRounds { get; init; }

    public required TimeSpan Length { get; init; }

    public required double Rate { get; init; }

    /// <summary>What the network adds to each round trip on healthy servers.</summary>
    public required TimeSpan NetworkDelay { get; init; }

    /// <summary>Time of usual load between a peak and what is measured after it.</summary>
    public required TimeSpan Rest { get; init; }

    /// <summary>What a round trip to a slow replica takes longer; null makes it ten times as long.</summary>
    public required TimeSpan? AddedLatency { get; init; }

    public required bool IsJson { get; init; }

    /// <summary>Where the report goes; null keeps that of the whole comparison where it is when only a part of it was run.</summary>
    public required string? Folder { get; init; }

    /// <summary>Whether all is measured that there is.</summary>
    public bool IsWhole => Scenarios.Count == 0 && Arms.Count == 0;

    public bool Wants(string scenario) => Scenarios.Count == 0 || Scenarios.Contains(scenario);

    public bool WantsArm(string arm) => Arms.Count == 0 || Arms.Contains(arm);
}
