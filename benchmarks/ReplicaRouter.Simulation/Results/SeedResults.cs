namespace ReplicaRouter.Simulation;

/// <summary>All figures of one seed.</summary>
internal sealed class SeedResults(int seed)
{
    private readonly Dictionary<(string Scenario, string Policy), Figures> _figures = [];

    public int Seed => seed;

    public IReadOnlyDictionary<(string Scenario, string Policy), Figures> All => _figures;

    public Figures this[string scenario, string policy = Policy.Router] => _figures[(scenario, policy)];

    public bool Has(string scenario) => _figures.ContainsKey((scenario, Policy.Router));

    public void Add(string scenario, string policy, Figures figures) => _figures.Add((scenario, policy), figures);

    /// <summary>Returns the 99th percentile without the fault.</summary>
    public double HealthyP99(string scenario) => this[$"{scenario}, no fault"].P99Ms;
}
