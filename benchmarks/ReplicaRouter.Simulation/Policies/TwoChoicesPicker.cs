namespace ReplicaRouter.Simulation;

/// <summary>The one with less under way of two at random.</summary>
internal sealed class TwoChoicesPicker(AppProcess process) : IHostPicker
{
    public int Pick(in Choice choice)
    {
        var (a, b) = HostSet.Two(choice.Candidates, process.Random);
        return process.Loads[a].InFlight <= process.Loads[b].InFlight ? a : b;
    }
}
