namespace ReplicaRouter.Simulation;

/// <summary>The effect of other constants on a few cells of all kinds.</summary>
internal static class Sensitivity
{
    public static IReadOnlyList<GridCell> Cells { get; } =
    [
        new(GridPart.Healthy, Workload.Mixed, Processes: 1, Load: 0.7, Replicas: 3),
        new(GridPart.Healthy, Workload.Lognormal, Processes: 20, Load: 0.7, Replicas: 3),
        new(GridPart.OneSlow, Workload.Lognormal, Processes: 20, Load: 0.48, Replicas: 3),
        new(GridPart.TwoSlow, Workload.Lognormal, Processes: 20, Load: 0.48, Replicas: 3),
        // A large fleet with this low rate is hedged.
        new(GridPart.OneSlow, Workload.Lognormal, Processes: 1000, Load: 0.2, Replicas: 3),
        new(GridPart.ClosedLoop, Workload.Lognormal, Processes: 1, Load: 0, Replicas: 3, Callers: 8),
    ];

    private static readonly double[] s_factors = [0.5, 2];

    /// <param name="seeds">The seeds.</param>
    /// <param name="done">Called with the row of each choice of constants.</param>
    /// <returns>A row for the default constants, then for each constant halved and doubled.</returns>
    public static IEnumerable<SensitivityRow> Run(IReadOnlyList<int> seeds, Action<SensitivityRow> done)
    {
        var usual = EjectionSettings.Default;
        // The peers' results do not depend on the router's constants.
        var peers = GridRunner.Run(RunsOf(usual, seeds, run => GridJudge.Peers.Contains(run.Policy)));
        foreach (var (name, number, settings) in Choices(usual))
        {
            var figures = GridRunner.Run(RunsOf(settings, seeds, run => run.Policy == run.Cell.Policies[0]));
            foreach (var (cell, others) in peers) figures[cell].TakeMissing(others);
            var row = new SensitivityRow(name, number, [.. Cells.Select(cell => GridJudge.Judge(cell, figures[cell]))]);
            done(row);
            yield return row;
        }
    }

    private static IEnumerable<GridRun> RunsOf(EjectionSettings settings, IReadOnlyList<int> seeds, Func<GridRun, bool> isWanted) =>
        Cells.SelectMany(cell => GridRunner.RunsOf(cell, settings, seeds)).Where(isWanted);

    private static IEnumerable<(string? Name, double Number, EjectionSettings Settings)> Choices(EjectionSettings usual)
    {
        yield return (null, 0, usual);
        foreach (var name in EjectionConstants.Names)
        {
            foreach (var factor in s_factors)
            {
                var number = factor * EjectionConstants.Get(usual, name);
                yield return (name, number, EjectionConstants.Set(usual, name, number));
            }
        }
    }
}
