namespace ReplicaRouter.Tests;

/// <summary>Tests that measure the memory of the whole process; they never run in parallel with other tests.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessMemoryTests
{
    public const string Name = "Process memory";
}
