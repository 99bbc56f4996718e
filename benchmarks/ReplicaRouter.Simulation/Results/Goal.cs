namespace ReplicaRouter.Simulation;

/// <summary>A number that must not exceed a limit with any seed.</summary>
/// <param name="Name">The goal that it belongs to.</param>
/// <param name="What">What is measured.</param>
/// <param name="Limit">The highest allowed value.</param>
/// <param name="Scenario">The scenario that the measurement needs.</param>
/// <param name="Measure">Returns the value from the results of a seed.</param>
internal sealed record Goal(string Name, string What, double Limit, string Scenario, Func<SeedResults, double> Measure)
{
    /// <summary>Returns the worst seed's value; null if the scenario did not run.</summary>
    public double? Worst(IReadOnlyCollection<SeedResults> seeds) => seeds.Count > 0 && seeds.All(seed => seed.Has(Scenario)) ? seeds.Max(Measure) : null;

    public bool IsMet(double measured) => measured <= Limit;
}
