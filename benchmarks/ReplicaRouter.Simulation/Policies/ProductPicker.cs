namespace ReplicaRouter.Simulation;

/// <summary>Picks the host that the product chose.</summary>
internal sealed class ProductPicker(AppProcess process) : IHostPicker
{
    public int Pick(in Choice choice) => choice.Host!.Configuration.Index;

    public int PickReady(TopologySnapshot topology, ulong ready) => HostSelection.ChoosePlain(topology, process.Plan, process.Loads, process.Random, process.Clock);
}
