using System.Globalization;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Arms;

/// <summary>The servers that an arm knows, and the ports at which it reaches them.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="Servers">The servers that the arm knows.</param>
/// <param name="PortOf">Returns a server's own port, or that of a proxy in front of it.</param>
internal sealed record Reach(LocalCluster Cluster, IReadOnlyList<LocalServer> Servers, Func<LocalServer, int> PortOf)
{
    /// <summary>Maximum number of connections to one server; null keeps each arm's default.</summary>
    public int? PoolSize { get; init; }

    public IReadOnlyList<LocalServer> Replicas => [.. Servers.Where(server => server != Cluster.Primary)];

    public static Reach Directly(LocalCluster cluster) => new(cluster, cluster.Servers, server => server.Port);

    public Reach Without(IEnumerable<LocalServer> servers) => this with { Servers = [.. Servers.Except(servers)] };

    /// <summary>Returns Npgsql's connection string for one server.</summary>
    public string To(LocalServer server) => Sized(new(server.ConnectionString) { Port = PortOf(server) }).ConnectionString;

    /// <summary>Returns Npgsql's settings for all servers.</summary>
    public NpgsqlConnectionStringBuilder ToAll() => Sized(new(Cluster.Primary.ConnectionString)
    {
        Host = string.Join(',', Servers.Select(server => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{PortOf(server)}"))),
        LoadBalanceHosts = true,
    });

    public DatabaseRouterOptions RouterOptions()
    {
        var options = Cluster.RouterOptions([.. Servers.Select(server => server.Name)]);
        foreach (var server in Servers) options.Hosts[server.Name].ConnectionString = To(server);
        return options;
    }

    private NpgsqlConnectionStringBuilder Sized(NpgsqlConnectionStringBuilder settings)
    {
        if (PoolSize is { } size) settings.MaxPoolSize = size;
        return settings;
    }
}
