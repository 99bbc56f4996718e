namespace ReplicaRouter.Simulation;

/// <summary>The cost of queries on a healthy server.</summary>
internal abstract record Workload(string Name, double MeanMs)
{
    /// <summary>One class of queries, lognormal with a mean of 4 ms.</summary>
    public static readonly Workload Lognormal = new Lognormal(4, 0.5);

    /// <summary>Four in five queries are look-ups, one in fifty is a report, all on one route.</summary>
    public static readonly Workload Mixed = new Mixed();

    /// <summary>Queries of three classes whose shares change every second.</summary>
    public static readonly Workload Shifting = new Shifting();

    public abstract double Draw(Random random);

    /// <summary>Returns the workload of the next second.</summary>
    /// <param name="shares">A random source for this alone, used once a second.</param>
    public virtual Workload Next(Random shares) => this;

    /// <summary>Draws from the standard normal distribution.</summary>
    /// <remarks>Source: G. E. P. Box, M. E. Muller, "A Note on the Generation of Random Normal Deviates", 1958.</remarks>
    public static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}

internal sealed record Lognormal(double MeanMs, double Sigma) : Workload("lognormal", MeanMs)
{
    private readonly double _median = MeanMs / Math.Exp(Sigma * Sigma / 2);

    public override double Draw(Random random) => _median * Math.Exp(Sigma * Normal(random));
}

internal sealed record Mixed() : Workload("mixed", 5.7)
{
    public override double Draw(Random random) => random.NextDouble() switch
    {
        < 0.80 => 1,
        < 0.98 => 5,
        _ => 200,
    };
}

/// <summary>Queries of 1, 5 and 200 ms, in proportion to the three numbers.</summary>
internal record ThreeClasses(string Name, double Lookups, double Queries, double Reports)
    : Workload(Name, ((1 * Lookups) + (5 * Queries) + (200 * Reports)) / (Lookups + Queries + Reports))
{
    public override double Draw(Random random)
    {
        var drawn = random.NextDouble() * (Lookups + Queries + Reports);
        return drawn < Lookups ? 1 : drawn < Lookups + Queries ? 5 : 200;
    }
}

/// <summary>The average of all seconds. Each second multiplies each number by a random factor from 0 to 1: one second has hardly any reports, the next is half reports.</summary>
internal sealed record Shifting() : ThreeClasses("shifting", 3, 1, 0.3)
{
    public override Workload Next(Random shares) => new ThreeClasses(Name, Lookups * shares.NextDouble(), Queries * shares.NextDouble(), Reports * shares.NextDouble());
}
