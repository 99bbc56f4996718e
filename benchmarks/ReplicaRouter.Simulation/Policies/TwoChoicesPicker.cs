namespace ReplicaRouter.Simulation;

/// <summary>Picks the one with fewer operations in flight of two random hosts.</summary>
internal sealed class TwoChoicesPicker(AppProcess process) : IHostPicker
{
    public int Pick(in Choice choice)
    {
        var (a, b) = HostSet.Two(choice.Candidates, process.Random);
        return process.Loads[a].InFlight <= process.Loads[b].InFlight ? a : b;
    }
}
