using System.Globalization;
using Npgsql;
using ReplicaRouter.Testing;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Clusters;

/// <summary>What <c>cluster up</c> starts: a cluster that is set up as one in production is to be.</summary>
internal static class DevelopmentCluster
{
    public const int UsualReplicas = 3;
    public const int MostReplicas = 10;

    private static readonly string[] s_firstNames = ["analytics", "background", "dr"];

    public static LocalClusterOptions Options(string? folder, int replicas)
    {
        var options = new LocalClusterOptions { Folder = folder, Replicas = [.. ReplicaNames.Take(replicas).Select(Replica)] };
        options.Settings["hot_standby_feedback"] = "on";
        return options;
    }

    /// <summary>Starts a cluster, or takes up the one of the folder: what is down is started, and replicas that are missing are added.</summary>
    /// <param name="folder">The cluster's folder.</param>
    /// <param name="replicas">How many replicas; null for three, and of a cluster that is there already for as many as it has.</param>
    /// <param name="ct">Gives up.</param>
    public static async Task<LocalCluster> UpAsync(string folder, int? replicas, CancellationToken ct)
    {
        var cluster = await LocalCluster.StartAsync(Options(folder, replicas ?? UsualReplicas), ct);
        try
        {
            await GrantMonitorAsync(cluster, ct);
            if (replicas is not { } wanted) return cluster;
            var there = cluster.Servers.Count - 1;
            if (wanted < there) throw new ToolException($"The cluster has {there} replicas. For fewer of them start anew: 'cluster down --delete-data' first.");
            foreach (var name in ReplicaNames.Except(cluster.Servers.Select(server => server.Name)).Take(wanted - there).ToList())
                await cluster.AddReplicaAsync(Replica(name), ct);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets the application's user see what a router would like to: the timelines that standbys receive.</summary>
    public static async Task GrantMonitorAsync(LocalCluster cluster, CancellationToken ct)
    {
        var user = new NpgsqlConnectionStringBuilder(cluster.Primary.ConnectionString).Username;
        await using var connection = new NpgsqlConnection(cluster.Primary.SuperuserConnectionString);
        await connection.OpenAsync(ct);
        await using var grant = new NpgsqlCommand($"GRANT pg_monitor TO \"{user}\"", connection);
        await grant.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Whether a server that runs is in recovery.</summary>
    public static async Task<bool> IsStandbyAsync(LocalServer server, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(server.SuperuserConnectionString);
        await connection.OpenAsync(ct);
        await using var ask = new NpgsqlCommand("SELECT pg_is_in_recovery()", connection);
        return (bool)(await ask.ExecuteScalarAsync(ct))!;
    }

    private static IEnumerable<string> ReplicaNames =>
        [.. s_firstNames, .. Enumerable.Range(3, MostReplicas).Select(number => string.Create(CultureInfo.InvariantCulture, $"replica-{number}"))];

    private static LocalReplicaOptions Replica(string name) => new() { Name = name };
}
