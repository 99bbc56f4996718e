using System.CommandLine;
using ReplicaRouter.Testing;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Clusters;

/// <summary><c>cluster up</c>: starts a cluster that runs on when the command has ended, and prints the variables that lead to it.</summary>
internal static class UpCommand
{
    public static Command Create()
    {
        var name = ClusterFolders.NameOption();
        var directory = ClusterFolders.Option();
        var replicas = new Option<int?>("--replicas")
        {
            Description = $"How many replicas, 0 to {DevelopmentCluster.MostReplicas}. Default {DevelopmentCluster.UsualReplicas}: analytics, background and dr.",
            HelpName = "N",
        };
        replicas.Validators.Add(result =>
        {
            if (result.Tokens is not [var token] || !int.TryParse(token.Value, out var number) || number is < 0 or > DevelopmentCluster.MostReplicas)
                result.AddError($"--replicas takes a whole number from 0 to {DevelopmentCluster.MostReplicas}.");
        });
        var command = new Command("up", "Starts a cluster and prints the variables to paste: eval \"$(replica-router cluster up)\". One that runs is left as it is.") { name, replicas, directory };
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
        // All of it in quotes: a password may hold what means something to a shell.
        foreach (var (variable, url) in cluster.EnvironmentVariables)
            screen.WriteLine($"export {variable}='{url.Replace("'", "'\\''", StringComparison.Ordinal)}'");
        screen.Say($"{cluster.Servers.Count} servers run until 'replica-router cluster down --name {name}'.");
    }
}
