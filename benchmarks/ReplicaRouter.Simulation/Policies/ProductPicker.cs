namespace ReplicaRouter.Simulation;

/// <summary>What the product chose.</summary>
internal sealed class ProductPicker : IHostPicker
{
    public int Pick(in Choice choice) => choice.Host!.Configuration.Index;
}
