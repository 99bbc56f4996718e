using System.CommandLine;
using ReplicaRouter.Testing;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Clusters;

/// <summary><c>cluster up</c>: starts a cluster that keeps running after the command exits, and prints the variables that point to it.</summary>
internal static class UpCommand
{
    public static Command Create()
    {
        var name = ClusterFolders.NameOption();
        var directory = ClusterFolders.Option();
        var replicas = new Option<int?>("--replicas")
        {
            Description = $"Number of replicas, 0 to {DevelopmentCluster.MostReplicas}. Default {DevelopmentCluster.UsualReplicas}: analytics, background and dr.",
            HelpName = "N",
        };
        replicas.Validators.Add(result =>
        {
            if (result.Tokens is not [var token] || !int.TryParse(token.Value, out var number) || number is < 0 or > DevelopmentCluster.MostReplicas)
                result.AddError($"--replicas takes a whole number from 0 to {DevelopmentCluster.MostReplicas}.");
        });
        var command = new Command("up", "Starts a cluster and prints its variables, for eval \"$(replica-router cluster up)\". A running cluster is left as it is.") { name, replicas, directory };
        var json = command.AddJson();
        command.SetWork(async (parsed, screen, ct) =>
        {
            var clusterName = parsed.GetValue(name)!;
            var folder = new ClusterFolders(parsed.GetValue(directory)).Of(clusterName);
            screen.Say($"Starting the cluster '{clusterName}' in {folder}.");
            await using var cluster = await DevelopmentCluster.UpAsync(folder, parsed.GetValue(replicas), ct);
            var servers = ServerStatus.Of(cluster);
            if (parsed.GetValue(json)) screen.WriteJson(new { Name = clusterName, Folder = folder, Servers = servers, Environment = cluster.EnvironmentVariables });
            else Print(cluster, clusterName, screen);
            foreach (var note in ServerStatus.NotesOn(clusterName, servers)) screen.Say(note);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Print(LocalCluster cluster, string name, Screen screen)
    {
        // Quoted, because a password can contain characters that are special to a shell.
        foreach (var (variable, url) in cluster.EnvironmentVariables)
            screen.WriteLine($"export {variable}='{url.Replace("'", "'\\''", StringComparison.Ordinal)}'");
        screen.Say($"{cluster.Servers.Count} servers run until 'replica-router cluster down --name {name}'.");
    }
}
