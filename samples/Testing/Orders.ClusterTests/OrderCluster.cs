using Npgsql;
using ReplicaRouter;
using ReplicaRouter.Testing;

namespace Orders.ClusterTests;

#region cluster
/// <summary>A primary and two streaming replicas with a stock of tea, and a router for them.</summary>
public sealed class OrderCluster : IAsyncDisposable
{
    private OrderCluster(LocalCluster servers, DatabaseRouter router) => (Servers, Router, Orders) = (servers, router, new OrderService(router));

    public LocalCluster Servers { get; }
    public DatabaseRouter Router { get; }
    public OrderService Orders { get; }

    public static async Task<OrderCluster> StartAsync(CancellationToken ct)
    {
        var servers = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "background" }] }, ct);
        await using (var primary = NpgsqlDataSource.Create(servers.Primary.ConnectionString))
        await using (var create = primary.CreateCommand($"{OrderSchema.Sql} INSERT INTO stock VALUES ('tea', 1000)"))
        {
            await create.ExecuteNonQueryAsync(ct);
        }

        await servers.WaitForReplicationAsync(ct);
        var options = new DatabaseRouterOptions();
        foreach (var server in servers.Servers) options.Hosts[server.Name] = new DatabaseHostOptions { ConnectionString = server.ConnectionString };
        var router = DatabaseRouter.Create(options);
        await router.WaitUntilReadyAsync(ct);
        return new OrderCluster(servers, router);
    }

    public async ValueTask DisposeAsync()
    {
        await Router.DisposeAsync();
        await Servers.DisposeAsync();
    }
}
#endregion
