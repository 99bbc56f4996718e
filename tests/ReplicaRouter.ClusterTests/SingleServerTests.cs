using Dapper;
using Npgsql;

namespace ReplicaRouter.ClusterTests;

/// <summary>A router over one server, for tests: every operation goes to that server.</summary>
public sealed class SingleServerTests(ClusterFixture fixture) : IAsyncLifetime
{
    private readonly NpgsqlDataSource _dataSource = NpgsqlDataSource.Create(fixture.Cluster.Primary.ConnectionString);
    private DatabaseRouter _router = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _router = DatabaseRouter.ForSingleServer(_dataSource);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        // The router must not dispose of the caller's data source.
        Assert.Equal(1, await _dataSource.CreateCommand("SELECT 1").ExecuteScalarAsync(Ct));
        await _dataSource.DisposeAsync();
    }

    [Fact]
    public async Task Every_operation_goes_to_the_server()
    {
        foreach (var operation in Enum.GetValues<DatabaseOperation>())
        {
            Assert.Same(_dataSource, _router.GetClient(operation));
            Assert.Equal(fixture.Cluster.Primary.Port, await _router.ExecuteAsync(operation, (connection, _) => Task.FromResult(connection.Port), Ct));
            await using var connection = await _router.GetDataSource(operation).OpenConnectionAsync(Ct);
            Assert.Equal(fixture.Cluster.Primary.Port, connection.Port);
        }

        Assert.True(_router.GetHealthStatus()["primary"].IsHealthy);
    }

    [Fact]
    public async Task Transactions_sessions_and_tokens_work()
    {
        using var session = _router.BeginSession();
        var answer = await _router.WithTransactionAsync((transaction, ct) => transaction.Connection!.ExecuteScalarAsync<int>("SELECT 42"), Ct);
        Assert.Equal(42, answer);
        Assert.Equal(1, await _router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteScalarAsync<int>("SELECT 1"), Ct));
        var token = await session.GetTokenAsync(Ct);
        Assert.NotEmpty(token);
        using var next = _router.CreateSession(token);
        Assert.Equal(1, await _router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteScalarAsync<int>("SELECT 1"), new OperationOptions { Session = next }, Ct));
        Assert.False(next.HasLostHistory);
    }

    [Fact]
    public async Task A_terminated_connection_does_not_block_the_next_one()
    {
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => _router.ExecuteAsync(
            DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("SELECT pg_terminate_backend(pg_backend_pid())"), new OperationOptions { AllowRetry = false }, Ct));
        Assert.Equal(1, await _router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteScalarAsync<int>("SELECT 1"), Ct));
    }
}
