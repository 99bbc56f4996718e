namespace ReplicaRouter.ClusterTests;

/// <summary>Tests that measure shares of work or times below a second. They run one at a time, after all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class QuietMachine
{
    public const string Name = "Quiet machine";
}
