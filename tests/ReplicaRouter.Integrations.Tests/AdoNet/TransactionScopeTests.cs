using System.Transactions;
using Dapper;
using Npgsql;

namespace ReplicaRouter.Integrations.Tests.AdoNet;

/// <summary>The effect of an ambient transaction on connections opened inside it.</summary>
public class TransactionScopeTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static TransactionScope NewScope() => new(TransactionScopeOption.Required, TransactionScopeAsyncFlowOption.Enabled);

    private Task<long> CountAsync(int first, int last) => fixture.OnPrimaryAsync<long>($"SELECT count(*) FROM note WHERE id BETWEEN {first} AND {last}");

    [Fact]
    public async Task Connections_opened_one_after_another_share_one_transaction()
    {
        await using var router = fixture.Router();
        var ct = Ct;
        #region scope
        var options = new TransactionOptions { IsolationLevel = IsolationLevel.ReadCommitted };
        using (var scope = new TransactionScope(TransactionScopeOption.Required, options, TransactionScopeAsyncFlowOption.Enabled))
        {
            await using (var first = await router.OpenConnectionAsync(DatabaseOperation.Write, ct)) await first.ExecuteAsync("INSERT INTO note VALUES (31, 'thirty-one')");
            await using (var second = await router.OpenConnectionAsync(DatabaseOperation.Write, ct)) await second.ExecuteAsync("INSERT INTO note VALUES (32, 'thirty-two')");
            scope.Complete();
        }
        #endregion
        Assert.Equal(2, await CountAsync(31, 32));
        Assert.Equal(1, await fixture.OnPrimaryAsync<long>("SELECT count(DISTINCT xmin::text) FROM note WHERE id IN (31, 32)"));
    }

    [Fact]
    public async Task Connections_opened_one_after_another_share_one_physical_connection()
    {
        await using var router = fixture.Router();
        using var scope = NewScope();
        var seen = new HashSet<(int Process, string Server)>();
        foreach (var source in new[] { router.GetDataSource(DatabaseOperation.Write), router.GetDataSource(DatabaseOperation.Write) })
        {
            await using var connection = (NpgsqlConnection)await source.OpenConnectionAsync(Ct);
            seen.Add((connection.ProcessID, await fixture.WhoAsync(connection)));
        }

        Assert.Equal("primary", Assert.Single(seen).Server);
    }

    [Fact]
    public async Task A_scope_that_is_not_completed_rolls_back_all_writes()
    {
        await using var router = fixture.Router();
        using (NewScope())
        {
            await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("INSERT INTO note VALUES (41, 'x')"), Ct);
            await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("INSERT INTO note VALUES (42, 'x')"), Ct);
        }

        Assert.Equal(0, await CountAsync(41, 42));
    }

    [Fact]
    public async Task A_read_does_not_enlist_and_does_not_prevent_the_commit()
    {
        await using var router = fixture.Router();
        using (var scope = NewScope())
        {
            await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("INSERT INTO note VALUES (51, 'x')"), Ct);
            await using (var read = await router.OpenConnectionAsync(DatabaseOperation.Read, Ct))
            {
                Assert.NotEqual("primary", await fixture.WhoAsync(read));
                Assert.Equal(0, await read.ExecuteScalarAsync<long>("SELECT count(*) FROM note WHERE id = 51"));
            }

            scope.Complete();
        }

        Assert.Equal(1, await CountAsync(51, 51));
    }

    [Fact]
    public async Task Two_connections_open_at_once_cannot_be_committed()
    {
        await using var router = fixture.Router();
        await Assert.ThrowsAnyAsync<TransactionException>(async () =>
        {
            using var scope = NewScope();
            await using var first = await router.OpenConnectionAsync(DatabaseOperation.Write, Ct);
            await using var second = await router.OpenConnectionAsync(DatabaseOperation.Write, Ct);
            await first.ExecuteAsync("INSERT INTO note VALUES (61, 'x')");
            await second.ExecuteAsync("INSERT INTO note VALUES (62, 'x')");
            scope.Complete();
        });
        Assert.Equal(0, await CountAsync(61, 62));
    }

    [Fact]
    public async Task A_managed_transaction_inside_a_scope_is_refused()
    {
        await using var router = fixture.Router();
        using var scope = NewScope();
        await Assert.ThrowsAsync<InvalidOperationException>(() => router.WithTransactionAsync((_, _) => Task.CompletedTask, Ct));
    }
}
