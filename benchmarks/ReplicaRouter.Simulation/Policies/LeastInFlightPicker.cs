namespace ReplicaRouter.Simulation;

/// <summary>Picks the host with the fewest operations of this process in flight.</summary>
internal sealed class LeastInFlightPicker(AppProcess process) : IHostPicker
{
    public int Pick(in Choice choice) => HostSet.Least(choice.Candidates, process.Random, host => process.Loads[host].InFlight);
}
