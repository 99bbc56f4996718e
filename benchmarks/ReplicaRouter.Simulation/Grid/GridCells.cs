namespace ReplicaRouter.Simulation;

/// <summary>All cells of the acceptance grid.</summary>
internal static class GridCells
{
    private static readonly Workload[] s_workloads = [Workload.Lognormal, Workload.Mixed, Workload.Shifting];
    private static readonly int[] s_processes = [1, 2, 4, 20, 1000];
    private static readonly double[] s_loads = [0.2, 0.48, 0.7];
    private static readonly int[] s_replicas = [2, 3, 5, 9];
    private static readonly int[] s_callers = [1, 3, 8, 64];

    public static IReadOnlyList<GridCell> All { get; } =
        [.. Healthy(), .. Slow(GridPart.OneSlow), .. Slow(GridPart.TwoSlow), .. ClosedLoops()];

    private static IEnumerable<GridCell> Healthy() =>
        from workload in s_workloads
        from processes in s_processes
        from load in s_loads
        from replicas in s_replicas
        select new GridCell(GridPart.Healthy, workload, processes, load, replicas);

    private static IEnumerable<GridCell> Slow(GridPart part) =>
        from workload in s_workloads
        from processes in s_processes
        from load in s_loads
        select new GridCell(part, workload, processes, load, Replicas: 3);

    private static IEnumerable<GridCell> ClosedLoops() =>
        from workload in s_workloads
        from callers in s_callers
        select new GridCell(GridPart.ClosedLoop, workload, Processes: 1, Load: 0, Replicas: 3, callers);
}
