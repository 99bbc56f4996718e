using ReplicaRouter.Testing;

namespace ReplicaRouter.Tool.Clusters;

/// <summary>One server of a local cluster.</summary>
internal sealed record ServerStatus(string Name, int Port, bool IsRunning, int? ProcessId, bool IsPrimary, string DataDirectory)
{
    public static IReadOnlyList<ServerStatus> Of(LocalCluster cluster) => [.. cluster.Servers.Select(server => new ServerStatus(
        server.Name, server.Port, server.IsRunning, server.IsRunning ? server.ProcessId : null, server == cluster.Primary, server.DataDirectory))];
}
