using System.Transactions;
using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Integrations.Tests.Jobs;

/// <summary>Tokens taken inside a transaction, as by an outbox. The replica has everything of the transaction except its commit.</summary>
public sealed class TokenTests : IAsyncLifetime
{
    private LocalCluster _cluster = null!;
    private DatabaseRouter _router = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private LocalServer Replica => _cluster["analytics"];

    public async ValueTask InitializeAsync()
    {
        _cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new() { Name = "analytics" }] }, Ct);
        await WriteElsewhereAsync("CREATE TABLE note (value int)");
        _router = NewRouter();
        await _router.WaitUntilReadyAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_token_stored_inside_a_transaction_covers_its_commit()
    {
        await using var handler = NewRouter();
        await handler.WaitUntilReadyAsync(Ct);
        var router = _router;
        var ct = Ct;
        using var session = router.BeginSession();
        string? stored = null;
        async Task StoreMessageAsync(NpgsqlTransaction transaction, string sessionToken, CancellationToken cancellationToken)
        {
            stored = sessionToken;
            await ReplicateAllThatIsWrittenAsync();
        }

        #region outbox
        await router.WithTransactionAsync(async (transaction, token) =>
        {
            await transaction.Connection!.ExecuteAsync("INSERT INTO note VALUES (7)");
            await StoreMessageAsync(transaction, await session.GetTokenAsync(token), token);
        }, ct);
        #endregion

        Assert.Equal(0, await handler.ExecuteAsync(DatabaseOperation.Read, (connection, _) => ValueAsync(connection), new OperationOptions { Consistency = Consistency.Eventual }, ct));
        Assert.Equal(7, await handler.ExecuteAsync(DatabaseOperation.Read, (connection, _) => ValueAsync(connection), new OperationOptions { SessionToken = stored }, ct));
    }

    [Fact]
    public async Task A_session_sees_its_write_once_the_ambient_transaction_commits()
    {
        using var session = _router.BeginSession();
        string token;
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using (var connection = await _router.OpenConnectionAsync(DatabaseOperation.Write, Ct)) await connection.ExecuteAsync("INSERT INTO note VALUES (7)");
            token = await session.GetTokenAsync(Ct);
            await ReplicateAllThatIsWrittenAsync();
            // The session learns the primary's position, which the replica has reached.
            Assert.Equal(0, await _router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => ValueAsync(connection), new OperationOptions { Session = session }, Ct));
            scope.Complete();
        }

        Assert.Equal(7, await _router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => ValueAsync(connection), Ct));
        using var next = _router.CreateSession(token);
        Assert.Equal(7, await _router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => ValueAsync(connection), new OperationOptions { Session = next }, Ct));
    }

    [Fact]
    public async Task CurrentSession_is_the_enclosing_session_of_the_same_router()
    {
        Assert.Null(_router.CurrentSession);
        await using var other = NewRouter();
        using (var session = _router.BeginSession())
        {
            Assert.Same(session, _router.CurrentSession);
            Assert.Null(other.CurrentSession);
            await Task.Run(() => Assert.Same(session, _router.CurrentSession), Ct);
        }

        Assert.Null(_router.CurrentSession);
    }

    private static Task<int> ValueAsync(NpgsqlConnection connection) => connection.ExecuteScalarAsync<int>("SELECT coalesce(max(value), 0) FROM note");

    /// <summary>Waits until the replica has replayed the transaction so far, and then pauses its replay.</summary>
    private async Task ReplicateAllThatIsWrittenAsync()
    {
        using var apart = new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);
        // The commit of another transaction makes the primary flush and send its WAL so far.
        await WriteElsewhereAsync("INSERT INTO note VALUES (0)");
        await Replica.PauseReplayAsync(Ct);
    }

    private async Task WriteElsewhereAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_cluster.Primary.ConnectionString);
        await connection.ExecuteAsync(sql);
        await _cluster.WaitForReplicationAsync(Ct);
    }

    private DatabaseRouter NewRouter()
    {
        var options = new DatabaseRouterOptions();
        foreach (var server in _cluster.Servers) options.Hosts[server.Name] = new DatabaseHostOptions { ConnectionString = server.ConnectionString };
        return DatabaseRouter.Create(options);
    }
}
