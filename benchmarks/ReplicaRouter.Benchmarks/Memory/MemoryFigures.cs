namespace ReplicaRouter.Benchmarks.Memory;

/// <summary>What is held after many opened and closed connections.</summary>
/// <param name="Hosts">Hosts of the router.</param>
/// <param name="Operations">Connections opened and closed.</param>
/// <param name="Plain">As many plain data sources.</param>
/// <param name="Router">The router, its pools and their connections included.</param>
internal sealed record MemoryFigures(int Hosts, int Operations, MemoryUse Plain, MemoryUse Router)
{
    /// <summary>The router without what Npgsql holds for it.</summary>
    public long RouterItself => Router.HeldBytes - Plain.HeldBytes;
}

/// <summary>Memory that one way holds, and the garbage collections that it caused.</summary>
internal sealed record MemoryUse(long HeldBytes, int Gen0, int Gen1, int Gen2);
