namespace ReplicaRouter.ClusterTests;

/// <summary>Tests that measure shares of work or times of less than a second: one after another, once all others are done.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class QuietMachine
{
    public const string Name = "Quiet machine";
}
