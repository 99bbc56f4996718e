using System.Globalization;
using Npgsql;
using ReplicaRouter.Testing;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Clusters;

/// <summary>The cluster that <c>cluster up</c> starts, configured as one in production should be.</summary>
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

    /// <summary>Starts a cluster, or opens the one in the folder, starts its servers that are down and adds missing replicas.</summary>
    /// <param name="folder">The cluster's folder.</param>
    /// <param name="replicas">Number of replicas; null for three in a new cluster, and for no change of an existing one.</param>
    /// <param name="ct">Cancels the start.</param>
    public static async Task<LocalCluster> UpAsync(string folder, int? replicas, CancellationToken ct)
    {
        var cluster = await LocalCluster.StartAsync(Options(folder, replicas ?? UsualReplicas), ct);
        try
        {
            await GrantMonitorAsync(cluster, ct);
            if (replicas is not { } wanted) return cluster;
            var there = cluster.Servers.Count - 1;
            if (wanted < there) throw new ToolException($"The cluster has {there} replicas. To have fewer, delete it first: 'cluster down --delete-data'.");
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

    /// <summary>Lets the application's user, and so a router, see the timelines that standbys receive.</summary>
    public static async Task GrantMonitorAsync(LocalCluster cluster, CancellationToken ct)
    {
        var user = new NpgsqlConnectionStringBuilder(cluster.Primary.ConnectionString).Username;
        await using var connection = new NpgsqlConnection(cluster.Primary.SuperuserConnectionString);
        await connection.OpenAsync(ct);
        await using var grant = new NpgsqlCommand($"GRANT pg_monitor TO \"{user}\"", connection);
        await grant.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Whether a running server is in recovery.</summary>
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
