namespace ReplicaRouter.Simulation;

/// <summary>Selects cells of the grid. An empty or null filter selects all.</summary>
/// <param name="Words">Names of parts and of workloads. Several of one kind are alternatives.</param>
/// <param name="Processes">Number of application processes.</param>
/// <param name="Percent">The load, in percent; 0 for closed loops.</param>
/// <param name="Replicas">Number of replicas.</param>
internal sealed record GridFilter(IReadOnlyCollection<string> Words, int? Processes = null, int? Percent = null, int? Replicas = null)
{
    private static readonly HashSet<string> s_parts = [.. GridCells.All.Select(cell => cell.PartName)];
    private static readonly HashSet<string> s_workloads = [.. GridCells.All.Select(cell => cell.Workload.Name)];

    /// <summary>All valid words.</summary>
    public static IReadOnlyCollection<string> AllWords { get; } = [.. s_parts, .. s_workloads];

    public bool Takes(GridCell cell) =>
        TakesWord(s_parts, cell.PartName) && TakesWord(s_workloads, cell.Workload.Name)
        && (Processes ?? cell.Processes) == cell.Processes
        && (Percent ?? PercentOf(cell)) == PercentOf(cell)
        && (Replicas ?? cell.Replicas) == cell.Replicas;

    private bool TakesWord(HashSet<string> ofKind, string word) => !Words.Any(ofKind.Contains) || Words.Contains(word);

    private static int PercentOf(GridCell cell) => (int)Math.Round(100 * cell.Load);
}
