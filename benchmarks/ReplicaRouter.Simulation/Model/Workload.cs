namespace ReplicaRouter.Simulation;

/// <summary>What queries cost on a server that is well.</summary>
internal abstract record Workload(string Name, double MeanMs)
{
    /// <summary>One class of queries, lognormal with a mean of 4 ms.</summary>
    public static readonly Workload Lognormal = new Lognormal(4, 0.5);

    /// <summary>Four in five are look-ups, one in fifty is a report, all on one route.</summary>
    public static readonly Workload Mixed = new Mixed();

    public abstract double Draw(Random random);

    /// <summary>A draw from the standard normal distribution.</summary>
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
