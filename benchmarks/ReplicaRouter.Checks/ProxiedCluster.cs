using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks;

/// <summary>A proxy in front of each server of a cluster, for routers to connect through. The servers connect to each other directly.</summary>
internal sealed class ProxiedCluster(LocalCluster cluster) : IAsyncDisposable
{
    private readonly Dictionary<string, FaultProxy> _proxies = cluster.Servers.ToDictionary(server => server.Name, server => FaultProxy.Start("127.0.0.1", server.Port));

    public FaultProxy this[LocalServer server] => _proxies[server.Name];

    public DatabaseRouterOptions RouterOptions()
    {
        var options = cluster.RouterOptions();
        foreach (var server in cluster.Servers)
        {
            options.Hosts[server.Name].ConnectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Port = this[server].Port }.ConnectionString;
        }

        return options;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies.Values) await proxy.DisposeAsync();
    }
}
