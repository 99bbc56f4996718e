namespace ReplicaRouter.Simulation;

/// <summary>Runs the cells of the grid.</summary>
internal static class GridRunner
{
    /// <summary>Returns all runs of a cell. Policies that are only shown run with the first seed alone: with all seeds they would double the time.</summary>
    public static IEnumerable<GridRun> RunsOf(GridCell cell, EjectionSettings ejection, IReadOnlyList<int> seeds, int? leastSeconds = null)
    {
        var scenario = cell.ToScenario(ejection, leastSeconds);
        foreach (var policy in cell.Policies)
        {
            var isJudged = policy == cell.Policies[0] || policy == Policy.Oracle || GridJudge.Peers.Contains(policy);
            foreach (var seed in isJudged ? seeds : seeds.Take(1))
            {
                yield return new GridRun(cell, policy.Name, scenario, policy, seed);
                if (cell.HasSlowHosts) yield return new GridRun(cell, GridFigures.WithoutFault(policy.Name), scenario.Healthy, policy, seed);
            }
        }
    }

    /// <param name="runs">The runs.</param>
    /// <param name="done">Called after each run, on any thread, with the numbers of ended and of all runs.</param>
    public static Dictionary<GridCell, GridFigures> Run(IEnumerable<GridRun> runs, Action<int, int>? done = null)
    {
        // The longest first, so that no core is idle at the end.
        GridRun[] sorted = [.. runs.OrderByDescending(run => run.Work)];
        var figures = new Figures[sorted.Length];
        var ended = 0;
        Simulator.OneByOne(sorted.Length, i =>
        {
            var run = sorted[i];
            var its = Simulator.Run(run.Scenario, run.Policy, run.Seed);
            // The figures of each second are too much to keep for thousands of runs.
            figures[i] = run.Cell.Part == GridPart.ClosedLoop ? its : its.Summary();
            done?.Invoke(Interlocked.Increment(ref ended), sorted.Length);
        });
        var cells = new Dictionary<GridCell, GridFigures>();
        for (var i = 0; i < sorted.Length; i++)
        {
            if (!cells.TryGetValue(sorted[i].Cell, out var cell)) cells.Add(sorted[i].Cell, cell = new GridFigures());
            cell.Add(sorted[i].Name, figures[i]);
        }

        return cells;
    }
}
