namespace ReplicaRouter.Benchmarks.Hedges;

/// <summary>The benefit and the cost of hedging slow reads.</summary>
/// <param name="TypicalMs">Median time of a read in the server, on top of a look-up; 0 for look-ups.</param>
/// <param name="SlowMs">Duration of a slow request.</param>
/// <param name="Healthy">Figures without slow requests.</param>
/// <param name="Plain">Figures without hedging.</param>
/// <param name="Hedged">Figures with hedging.</param>
internal sealed record HedgeFigures(double TypicalMs, double SlowMs, HedgeLoad Healthy, HedgeLoad Plain, HedgeLoad Hedged);
