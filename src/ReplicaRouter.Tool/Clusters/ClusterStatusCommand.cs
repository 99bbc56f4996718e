using System.CommandLine;
using System.Globalization;
using ReplicaRouter.Tool.CommandLine;
using Spectre.Console;

namespace ReplicaRouter.Tool.Clusters;

/// <summary><c>cluster status</c>: which servers of the local clusters are running.</summary>
internal static class ClusterStatusCommand
{
    public static Command Create()
    {
        var name = new Option<string?>("--name") { Description = "Shows only this cluster. Default: all clusters.", HelpName = "NAME" };
        var directory = ClusterFolders.Option();
        var command = new Command("status", "Lists the servers of the local clusters. Exits with 1 when one is not running or is a second primary.") { name, directory };
        var json = command.AddJson();
        command.SetWork(async (parsed, screen, ct) =>
        {
            var folders = new ClusterFolders(parsed.GetValue(directory));
            var clusters = new Dictionary<string, IReadOnlyList<ServerStatus>>();
            foreach (var each in parsed.GetValue(name) is { } one ? [one] : folders.Names)
            {
                await using var cluster = await folders.OpenAsync(each, ct);
                clusters[each] = ServerStatus.Of(cluster);
            }

            if (parsed.GetValue(json)) screen.WriteJson(clusters);
            else if (clusters.Count > 0) screen.Write(TableOf(clusters));
            else screen.Say("There is no local cluster. 'replica-router cluster up' starts one.");
            foreach (var note in clusters.SelectMany(cluster => ServerStatus.NotesOn(cluster.Key, cluster.Value))) screen.Say(note);
            return clusters.Values.SelectMany(servers => servers).All(server => server is { IsRunning: true, IsSecondPrimary: false }) ? ExitCode.Ok : ExitCode.Warning;
        });
        return command;
    }

    private static Table TableOf(Dictionary<string, IReadOnlyList<ServerStatus>> clusters)
    {
        var table = new Table().Border(TableBorder.Horizontal).AddColumns("cluster", "server", "role", "port", "process", "data");
        foreach (var (cluster, servers) in clusters)
        {
            foreach (var server in servers)
            {
                table.AddRow([.. new[]
                {
                    cluster, server.Name, server.Role, server.Port.ToString(CultureInfo.InvariantCulture),
                    server.ProcessId?.ToString(CultureInfo.InvariantCulture) ?? "down", server.DataDirectory,
                }.Select(cell => new Text(cell))]);
            }
        }

        return table;
    }
}
