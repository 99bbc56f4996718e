using ReplicaRouter.Testing;

namespace ReplicaRouter.Tool.Clusters;

/// <summary>One server of a local cluster.</summary>
internal sealed record ServerStatus(string Name, int Port, bool IsRunning, int? ProcessId, bool IsPrimary, bool IsSecondPrimary, string DataDirectory)
{
    public string Role => IsPrimary ? "primary" : IsSecondPrimary ? "second primary" : "replica";

    public static IReadOnlyList<ServerStatus> Of(LocalCluster cluster) => [.. cluster.Servers.Select(server => new ServerStatus(
        server.Name, server.Port, server.IsRunning, server.IsRunning ? server.ProcessId : null, server == cluster.Primary, IsSecond(cluster, server), server.DataDirectory))];

    /// <summary>What to do about former primaries that run on, a sentence each.</summary>
    /// <param name="cluster">The cluster's name.</param>
    /// <param name="servers">Its servers.</param>
    public static IEnumerable<string> NotesOn(string cluster, IEnumerable<ServerStatus> servers) => servers.Where(server => server.IsSecondPrimary).Select(server =>
        $"{server.Name} of '{cluster}' is a second primary: it takes writes, which are lost. Run 'replica-router cluster kill {server.Name} --name {cluster}', then 'replica-router cluster up --name {cluster}' brings it back as a replica.");

    /// <remarks>By the file, which PostgreSQL removes at the end of a promotion: a server that is paused would not answer.</remarks>
    private static bool IsSecond(LocalCluster cluster, LocalServer server) =>
        server != cluster.Primary && server.IsRunning && !File.Exists(Path.Combine(server.DataDirectory, "standby.signal"));
}
