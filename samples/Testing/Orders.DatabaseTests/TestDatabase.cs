using Npgsql;
using ReplicaRouter;
using ReplicaRouter.Testing;

namespace Orders.DatabaseTests;

#region database
/// <summary>One database for all tests: the one that the variable TEST_DATABASE names, or else a server started for them.</summary>
public sealed class TestDatabase : IAsyncLifetime
{
    private LocalCluster? _server;
    private NpgsqlDataSource _dataSource = null!;

    public DatabaseRouter Router { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _dataSource = NpgsqlDataSource.Create(Environment.GetEnvironmentVariable("TEST_DATABASE") ?? await StartServerAsync());
        Router = DatabaseRouter.ForSingleServer(_dataSource);
        await using var create = _dataSource.CreateCommand(OrderSchema.Sql);
        await create.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Adds a new product to the stock. Each test uses its own product, so tests do not see each other's data.</summary>
    public async Task<string> StockAsync(int quantity)
    {
        var product = $"tea {Guid.NewGuid()}";
        await using var command = _dataSource.CreateCommand("INSERT INTO stock (product, quantity) VALUES ($1, $2)");
        command.Parameters.AddWithValue(product);
        command.Parameters.AddWithValue(quantity);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return product;
    }

    public async ValueTask DisposeAsync()
    {
        await Router.DisposeAsync();
        await _dataSource.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
    }

    private async Task<string> StartServerAsync()
    {
        _server = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [] }, TestContext.Current.CancellationToken);
        return _server.Primary.ConnectionString;
    }
}
#endregion
