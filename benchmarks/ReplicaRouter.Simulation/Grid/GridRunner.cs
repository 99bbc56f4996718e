namespace ReplicaRouter.Simulation;

/// <summary>Runs the cells of the grid.</summary>
internal static class GridRunner
{
    /// <summary>All runs of a cell. Policies that nothing is judged by are shown by the first seed alone: all of them would take as long again.</summary>
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

    /// <param name="runs">What is run.</param>
    /// <param name="done">Called after each run with how many have ended, on any thread.</param>
    public static Dictionary<GridCell, GridFigures> Run(IEnumerable<GridRun> runs, Action<int, int>? done = null)
    {
        // The longest first, so that no core waits for another one at the end.
        GridRun[] sorted = [.. runs.OrderByDescending(run => run.Work)];
        var figures = new Figures[sorted.Length];
        var ended = 0;
        Simulator.OneByOne(sorted.Length, i =>
        {
            var run = sorted[i];
            var its = Simulator.Run(run.Scenario, run.Policy, run.Seed);
            // The course of time is much to keep for thousands of runs.
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
