using System.CommandLine;

namespace ReplicaRouter.Tool.Clusters;

/// <summary><c>cluster up|down|status|kill|start|pause|resume|promote|lag</c>: real PostgreSQL clusters on this machine, for development.</summary>
internal static class ClusterCommand
{
    public static Command Create()
    {
        var command = new Command("cluster", "Local PostgreSQL clusters for development: a primary and streaming replicas that run until they are stopped.")
        {
            UpCommand.Create(),
            DownCommand.Create(),
            ClusterStatusCommand.Create(),
        };
        foreach (var each in ServerCommands.All()) command.Subcommands.Add(each);
        return command;
    }
}
