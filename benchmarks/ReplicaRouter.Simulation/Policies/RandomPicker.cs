namespace ReplicaRouter.Simulation;

internal sealed class RandomPicker(AppProcess process) : IHostPicker
{
    public int Pick(in Choice choice) => HostSet.Nth(choice.Candidates, process.Random.Next(HostSet.Count(choice.Candidates)));
}
