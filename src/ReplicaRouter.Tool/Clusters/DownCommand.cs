using System.CommandLine;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Clusters;

/// <summary><c>cluster down</c>: stops the servers of a cluster, and nothing else on the machine.</summary>
internal static class DownCommand
{
    public static Command Create()
    {
        var name = ClusterFolders.NameOption();
        var directory = ClusterFolders.Option();
        var delete = new Option<bool>("--delete-data") { Description = "Deletes the cluster's data as well." };
        var command = new Command("down", "Stops a cluster's servers. Its data is kept for the next 'up'.") { name, delete, directory };
        command.SetWork(async (parsed, screen, ct) =>
        {
            var clusterName = parsed.GetValue(name)!;
            await using var cluster = await new ClusterFolders(parsed.GetValue(directory)).OpenAsync(clusterName, ct);
            if (parsed.GetValue(delete)) await cluster.DeleteAsync(ct);
            else await cluster.StopAsync(ct);
            screen.Say(parsed.GetValue(delete) ? $"The cluster '{clusterName}' and its data are deleted." : $"The cluster '{clusterName}' is stopped. 'cluster up --name {clusterName}' starts it again.");
            return ExitCode.Ok;
        });
        return command;
    }
}
