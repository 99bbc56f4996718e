namespace ReplicaRouter.Simulation;

/// <summary>One world of a cell.</summary>
/// <param name="Cell">The cell.</param>
/// <param name="Name">What its figures are known by there.</param>
/// <param name="Scenario">What is simulated.</param>
/// <param name="Policy">The policy that picks hosts.</param>
/// <param name="Seed">The seed.</param>
internal sealed record GridRun(GridCell Cell, string Name, Scenario Scenario, Policy Policy, int Seed)
{
    /// <summary>How much work it is, roughly: its reads, and its processes to be made.</summary>
    public double Work => (Scenario.Length.TotalSeconds * (Scenario.ClosedLoops > 0 ? 200 * Scenario.ClosedLoops : Scenario.RatePerSecond)) + (100 * Scenario.Processes);
}
