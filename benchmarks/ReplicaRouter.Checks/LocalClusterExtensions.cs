using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks;

/// <summary>What a router over a local cluster needs.</summary>
public static class LocalClusterExtensions
{
    /// <summary>Options for a router over all servers, or over those that are named.</summary>
    public static DatabaseRouterOptions RouterOptions(this LocalCluster cluster, params string[] servers)
    {
        var options = new DatabaseRouterOptions();
        foreach (var server in cluster.Servers.Where(s => servers.Length == 0 || servers.Contains(s.Name)))
        {
            options.Hosts[server.Name] = new DatabaseHostOptions { ConnectionString = server.Url };
        }

        return options;
    }

    /// <summary>
    /// Lets the ordinary user see the timelines of standbys, so that they can be told at once after a promotion: without it sessions are told of
    /// lost histories where nothing was lost.
    /// </summary>
    public static async Task GrantMonitorAsync(this LocalCluster cluster)
    {
        var user = new NpgsqlConnectionStringBuilder(cluster.Primary.ConnectionString).Username;
        await using var superuser = new NpgsqlConnection(cluster.Primary.SuperuserConnectionString);
        await superuser.ExecuteAsync($"GRANT pg_monitor TO \"{user}\"");
    }
}
