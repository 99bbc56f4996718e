namespace ReplicaRouter.Benchmarks;

internal static class Statistics
{
    /// <summary>The middle one; of two the higher. Rounds that the machine disturbed don't count.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    /// <summary>A draw from the standard normal distribution.</summary>
    /// <remarks>Source: G. E. P. Box, M. E. Muller, "A Note on the Generation of Random Normal Deviates", 1958.</remarks>
    public static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
