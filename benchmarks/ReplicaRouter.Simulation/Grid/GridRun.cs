namespace ReplicaRouter.Simulation;

/// <summary>One simulation run of a cell.</summary>
/// <param name="Cell">The cell.</param>
/// <param name="Name">The name of its figures in the cell.</param>
/// <param name="Scenario">The scenario to simulate.</param>
/// <param name="Policy">The policy that picks hosts.</param>
/// <param name="Seed">The seed.</param>
internal sealed record GridRun(GridCell Cell, string Name, Scenario Scenario, Policy Policy, int Seed)
{
    /// <summary>A rough measure of the work: the number of reads, and the cost of creating processes.</summary>
    public double Work => (Scenario.Length.TotalSeconds * (Scenario.ClosedLoops > 0 ? 200 * Scenario.ClosedLoops : Scenario.RatePerSecond)) + (100 * Scenario.Processes);
}
