namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>What to measure, and how thoroughly.</summary>
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

    /// <summary>Network latency added to each round trip on healthy servers.</summary>
    public required TimeSpan NetworkDelay { get; init; }

    /// <summary>Time of normal load between a peak and the measurement after it.</summary>
    public required TimeSpan Rest { get; init; }

    /// <summary>Latency added to each round trip to a slow replica; null makes it ten times as long.</summary>
    public required TimeSpan? AddedLatency { get; init; }

    public required bool IsJson { get; init; }

    /// <summary>The folder of the report; null selects it so that a partial run does not overwrite a full run's report.</summary>
    public required string? Folder { get; init; }

    /// <summary>Whether all scenarios and arms are measured.</summary>
    public bool IsWhole => Scenarios.Count == 0 && Arms.Count == 0;

    public bool Wants(string scenario) => Scenarios.Count == 0 || Scenarios.Contains(scenario);

    public bool WantsArm(string arm) => Arms.Count == 0 || Arms.Contains(arm);
}
