namespace ReplicaRouter.Simulation;

/// <summary>The host with the least that this process has under way there.</summary>
internal sealed class LeastInFlightPicker(AppProcess process) : IHostPicker
{
    public int Pick(in Choice choice) => HostSet.Least(choice.Candidates, process.Random, host => process.Loads[host].InFlight);
}
