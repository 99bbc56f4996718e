namespace ReplicaRouter.Benchmarks;

internal static class Statistics
{
    /// <summary>Returns the middle value, the higher of two. Disturbed rounds do not influence it.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
