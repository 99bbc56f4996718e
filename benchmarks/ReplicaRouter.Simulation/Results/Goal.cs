namespace ReplicaRouter.Simulation;

/// <summary>A number that must not exceed a limit, whatever the seed.</summary>
/// <param name="Name">The goal that it belongs to.</param>
/// <param name="What">What is measured.</param>
/// <param name="Limit">What it may be at most.</param>
/// <param name="Scenario">The scenario without which it can't be told.</param>
/// <param name="Measure">Measures it in the results of a seed.</param>
internal sealed record Goal(string Name, string What, double Limit, string Scenario, Func<SeedResults, double> Measure)
{
    /// <summary>The worst seed's number; null when the scenario was not run.</summary>
    public double? Worst(IReadOnlyCollection<SeedResults> seeds) => seeds.Count > 0 && seeds.All(seed => seed.Has(Scenario)) ? seeds.Max(Measure) : null;

    public bool IsMet(double measured) => measured <= Limit;
}
