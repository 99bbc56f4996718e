using ReplicaRouter.Checks.Proxies;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

/// <summary>A cluster with a PgBouncer in front of every server. Routers connect only to the PgBouncers.</summary>
internal sealed class PooledCluster : IAsyncDisposable
{
    private readonly Dictionary<string, ProxyServer> _poolers = [];

    private PooledCluster(LocalCluster servers) => Servers = servers;

    public LocalCluster Servers { get; }

    public static async Task<PooledCluster> StartAsync(LocalClusterOptions options, CancellationToken ct, string ignored = PgBouncer.IgnoredByDefault)
    {
        var cluster = new PooledCluster(await LocalCluster.StartAsync(options, ct));
        try
        {
            foreach (var server in cluster.Servers.Servers) cluster._poolers[server.Name] = await ProxyServer.StartAsync(new PgBouncer(server, ignored), server, ct);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public DatabaseRouter Router()
    {
        var options = Servers.Options();
        foreach (var (name, pooler) in _poolers) options.Hosts[name].ConnectionString = pooler.ConnectionString;
        // A failover takes time, and a pooler takes longer still to notice that its server is back.
        options.Routes["write"] = new DatabaseRouteOptions { Wait = TimeSpan.FromSeconds(30) };
        return DatabaseRouter.Create(options);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var pooler in _poolers.Values) await pooler.DisposeAsync();
        await Servers.DisposeAsync();
    }
}
