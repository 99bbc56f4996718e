namespace Orders.DatabaseTests;

#region tests
/// <summary>Tests the service's SQL and transactions on a real server.</summary>
public sealed class OrderServiceTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private readonly OrderService _orders = new(database.Router);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_placed_order_is_found_and_reduces_the_stock()
    {
        var order = new Order(Guid.NewGuid(), await database.StockAsync(5), 2);
        await _orders.PlaceAsync(order, Ct);
        Assert.Equal(order, await _orders.FindAsync(order.Id, Ct));
        Assert.Equal(3, await _orders.StockOfAsync(order.Product, Ct));
    }

    [Fact]
    public async Task A_failed_order_leaves_the_stock_unchanged()
    {
        var order = new Order(Guid.NewGuid(), await database.StockAsync(5), 2);
        await _orders.PlaceAsync(order, Ct);
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => _orders.PlaceAsync(order, Ct));    // the same id again
        Assert.Equal(3, await _orders.StockOfAsync(order.Product, Ct));
    }

    [Fact]
    public async Task An_order_beyond_the_stock_is_refused()
    {
        var order = new Order(Guid.NewGuid(), await database.StockAsync(1), 2);
        await Assert.ThrowsAsync<OutOfStockException>(() => _orders.PlaceAsync(order, Ct));
        Assert.Null(await _orders.FindAsync(order.Id, Ct));
    }
}
#endregion
