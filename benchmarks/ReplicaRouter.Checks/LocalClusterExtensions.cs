using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks;

/// <summary>Sets up routers for local clusters.</summary>
public static class LocalClusterExtensions
{
    /// <summary>Returns the options of a router for all servers, or for the named ones.</summary>
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
    /// Lets the ordinary user see the standbys' timelines, so that a router knows them immediately after a promotion. Without it, sessions report
    /// a lost history although nothing was lost.
    /// </summary>
    public static async Task GrantMonitorAsync(this LocalCluster cluster)
    {
        var user = new NpgsqlConnectionStringBuilder(cluster.Primary.ConnectionString).Username;
        await using var superuser = new NpgsqlConnection(cluster.Primary.SuperuserConnectionString);
        await superuser.ExecuteAsync($"GRANT pg_monitor TO \"{user}\"");
    }
}
