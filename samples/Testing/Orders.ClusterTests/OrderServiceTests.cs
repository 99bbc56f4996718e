namespace Orders.ClusterTests;

#region tests
/// <summary>Tests the service while servers lag, crash and are replaced.</summary>
public sealed class OrderServiceTests
{
    private readonly Order _order = new(Guid.NewGuid(), "tea", 2);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_finds_its_order_before_any_replica_has_it()
    {
        await using var cluster = await OrderCluster.StartAsync(Ct);
        await cluster.Servers["analytics"].PauseReplayAsync(Ct);
        await cluster.Servers["background"].PauseReplayAsync(Ct);

        using var session = cluster.Router.BeginSession();
        await cluster.Orders.PlaceAsync(_order, Ct);
        Assert.Equal(_order, await cluster.Orders.FindAsync(_order.Id, Ct));
    }

    [Fact]
    public async Task Orders_are_found_while_a_replica_is_down()
    {
        await using var cluster = await OrderCluster.StartAsync(Ct);
        await cluster.Orders.PlaceAsync(_order, Ct);
        await cluster.Servers.WaitForReplicationAsync(Ct);

        await cluster.Servers["analytics"].KillAsync(Ct);
        for (var i = 0; i < 20; i++) Assert.Equal(_order, await cluster.Orders.FindAsync(_order.Id, Ct));
    }

    [Fact]
    public async Task After_a_failover_orders_are_placed_on_the_new_primary()
    {
        await using var cluster = await OrderCluster.StartAsync(Ct);
        await cluster.Servers.Primary.KillAsync(Ct);
        await cluster.Servers.PromoteAsync("background", cancellationToken: Ct);

        using var session = cluster.Router.BeginSession();
        await cluster.Orders.PlaceAsync(_order, Ct);    // waits until the router has seen the promotion
        Assert.Equal(_order, await cluster.Orders.FindAsync(_order.Id, Ct));
    }
}
#endregion
