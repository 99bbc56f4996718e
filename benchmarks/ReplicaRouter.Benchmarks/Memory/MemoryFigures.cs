namespace ReplicaRouter.Benchmarks.Memory;

/// <summary>The memory in use after many opened and closed connections.</summary>
/// <param name="Hosts">Number of hosts.</param>
/// <param name="Operations">Connections opened and closed.</param>
/// <param name="Plain">Memory of as many plain data sources.</param>
/// <param name="Router">Memory of the router, with its pools and their connections.</param>
internal sealed record MemoryFigures(int Hosts, int Operations, MemoryUse Plain, MemoryUse Router)
{
    /// <summary>The router's own memory in bytes, without that of Npgsql.</summary>
    public long RouterItself => Router.HeldBytes - Plain.HeldBytes;
}

/// <summary>Memory in use, and the garbage collections during the operations.</summary>
internal sealed record MemoryUse(long HeldBytes, int Gen0, int Gen1, int Gen2);
