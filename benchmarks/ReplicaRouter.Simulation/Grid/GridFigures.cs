namespace ReplicaRouter.Simulation;

/// <summary>The figures of one cell, by policy and seed.</summary>
internal sealed class GridFigures
{
    private readonly Dictionary<string, List<Figures>> _runs = [];

    /// <summary>Returns the name of a policy's runs without the fault.</summary>
    public static string WithoutFault(string policy) => $"{policy}, no fault";

    public bool Has(string name) => _runs.ContainsKey(name);

    public void Add(string name, Figures figures)
    {
        if (!_runs.TryGetValue(name, out var runs)) _runs.Add(name, runs = []);
        runs.Add(figures);
    }

    /// <summary>Adds the runs of another set whose names are missing here.</summary>
    public void TakeMissing(GridFigures from)
    {
        foreach (var (name, runs) in from._runs) _runs.TryAdd(name, runs);
    }

    /// <summary>Returns the median over the seeds.</summary>
    public double Median(string name, Func<Figures, double> of)
    {
        double[] sorted = [.. _runs[name].Select(of).Order()];
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
