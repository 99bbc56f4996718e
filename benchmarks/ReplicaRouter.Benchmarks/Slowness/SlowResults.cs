namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>The results of one scenario for all arms.</summary>
/// <param name="HealthyMs">Median duration of an operation on a healthy host, with one worker.</param>
/// <param name="SlowMs">The same on a slow host.</param>
/// <param name="Arms">Figures by arm.</param>
internal sealed record SlowResults(double HealthyMs, double SlowMs, IReadOnlyDictionary<string, SlowFigures> Arms);
