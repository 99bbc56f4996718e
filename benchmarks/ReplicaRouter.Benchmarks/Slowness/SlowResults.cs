namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>One scenario through all arms.</summary>
/// <param name="HealthyMs">Median of an operation on a healthy host, with one worker.</param>
/// <param name="SlowMs">The same on a slow one.</param>
/// <param name="Arms">By arm.</param>
internal sealed record SlowResults(double HealthyMs, double SlowMs, IReadOnlyDictionary<string, SlowFigures> Arms);
