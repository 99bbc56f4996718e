namespace ReplicaRouter.Tests;

/// <summary>For tests that measure the memory of the whole process: they run when no other test does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessMemoryTests
{
    public const string Name = "Memory of the process";
}
