namespace ReplicaRouter.Benchmarks;

internal static class Statistics
{
    /// <summary>The middle one; of two the higher. Rounds that the machine disturbed don't count.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
