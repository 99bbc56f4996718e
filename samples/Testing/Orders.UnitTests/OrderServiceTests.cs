using Npgsql;
using NSubstitute;
using NSubstitute.ExceptionExtensions;
using ReplicaRouter;

namespace Orders.UnitTests;

#region tests
/// <summary>Tests which calls the service makes to the router, and how it handles the results. No SQL runs.</summary>
public sealed class OrderServiceTests
{
    private readonly DatabaseRouter _router = Substitute.For<DatabaseRouter>();
    private readonly Order _order = new(Guid.NewGuid(), "tea", 2);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_order_is_looked_up_with_a_read()
    {
        _router.ExecuteAsync(DatabaseOperation.Read, Arg.Any<Func<NpgsqlConnection, CancellationToken, Task<Order?>>>(), Arg.Any<OperationOptions?>(), Arg.Any<CancellationToken>())
            .Returns(_order);
        Assert.Equal(_order, await new OrderService(_router).FindAsync(_order.Id, Ct));
    }

    [Fact]
    public async Task An_order_is_placed_in_one_transaction_with_the_caller_s_token()
    {
        await new OrderService(_router).PlaceAsync(_order, Ct);
        await _router.Received(1).WithTransactionAsync(Arg.Any<Func<NpgsqlTransaction, CancellationToken, Task>>(), Arg.Any<OperationOptions?>(), Ct);
    }

    [Fact]
    public async Task The_stock_is_unknown_when_no_server_can_serve_the_read()
    {
        _router.ExecuteAsync(DatabaseOperation.Read, Arg.Any<Func<NpgsqlConnection, CancellationToken, Task<int?>>>(), Arg.Any<OperationOptions?>(), Arg.Any<CancellationToken>())
            .ThrowsAsync(new NoEligibleHostException("read", []));
        Assert.Null(await new OrderService(_router).StockOfAsync("tea", Ct));
    }

    [Fact]
    public async Task Any_other_failure_reaches_the_caller()
    {
        _router.WithTransactionAsync(Arg.Any<Func<NpgsqlTransaction, CancellationToken, Task>>(), Arg.Any<OperationOptions?>(), Arg.Any<CancellationToken>())
            .ThrowsAsync(new TransactionOutcomeUnknownException("primary", new IOException("The connection was reset.")));
        await Assert.ThrowsAsync<TransactionOutcomeUnknownException>(() => new OrderService(_router).PlaceAsync(_order, Ct));
    }
}
#endregion
