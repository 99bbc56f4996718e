namespace ReplicaRouter.Benchmarks.Hedges;

/// <summary>What second runs of slow reads bring, and what they cost.</summary>
/// <param name="TypicalMs">What half of the reads take at least in the server, beside what a look-up does; 0 for look-ups.</param>
/// <param name="SlowMs">What a slow request takes.</param>
/// <param name="Healthy">No request is slow.</param>
/// <param name="Plain">Without second runs.</param>
/// <param name="Hedged">With second runs.</param>
internal sealed record HedgeFigures(double TypicalMs, double SlowMs, HedgeLoad Healthy, HedgeLoad Plain, HedgeLoad Hedged);
