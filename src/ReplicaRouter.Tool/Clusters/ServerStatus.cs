using ReplicaRouter.Testing;

namespace ReplicaRouter.Tool.Clusters;

/// <summary>One server of a local cluster.</summary>
internal sealed record ServerStatus(string Name, int Port, bool IsRunning, int? ProcessId, bool IsPrimary, bool IsSecondPrimary, string DataDirectory)
{
    public string Role => IsPrimary ? "primary" : IsSecondPrimary ? "second primary" : "replica";

    public static IReadOnlyList<ServerStatus> Of(LocalCluster cluster) => [.. cluster.Servers.Select(server => new ServerStatus(
        server.Name, server.Port, server.IsRunning, server.IsRunning ? server.ProcessId : null, server == cluster.Primary, IsSecond(cluster, server), server.DataDirectory))];

    /// <summary>Returns one sentence for each former primary that is still running: what to do about it.</summary>
    public static IEnumerable<string> NotesOn(string cluster, IEnumerable<ServerStatus> servers) => servers.Where(server => server.IsSecondPrimary).Select(server =>
        $"{server.Name} of '{cluster}' is a second primary: it takes writes, which are lost. Run 'replica-router cluster kill {server.Name} --name {cluster}'; then 'replica-router cluster up --name {cluster}' brings it back as a replica.");

    /// <remarks>Checks the file that PostgreSQL removes at the end of a promotion, because a paused server would not answer a query.</remarks>
    private static bool IsSecond(LocalCluster cluster, LocalServer server) =>
        server != cluster.Primary && server.IsRunning && !File.Exists(Path.Combine(server.DataDirectory, "standby.signal"));
}
