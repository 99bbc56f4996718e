using System.Data;
using Dapper;
using Npgsql;

namespace ReplicaRouter.ClusterTests;

public class TransactionTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static Task<int> InsertAsync(NpgsqlTransaction transaction, string text) =>
        transaction.Connection!.ExecuteAsync("INSERT INTO note (text) VALUES (@text)", new { text }, transaction);

    private static Task<int> CountAsync(DatabaseRouter router, string text) => router.ExecuteAsync(DatabaseOperation.Transactional,
        (connection, _) => connection.ExecuteScalarAsync<int>("SELECT count(*) FROM note WHERE text = @text", new { text }), Ct);

    [Fact]
    public async Task Work_is_committed_on_the_primary_or_not_at_all_H26_H27_H33()
    {
        await using var router = fixture.Cluster.Router();
        var (kept, lost) = (Guid.NewGuid().ToString(), Guid.NewGuid().ToString());
        Assert.Equal("primary", await router.WithTransactionAsync(async (transaction, _) =>
        {
            await InsertAsync(transaction, kept);
            return await fixture.Cluster.WhoAsync(transaction.Connection!);
        }, Ct));
        await Assert.ThrowsAsync<InvalidOperationException>(() => router.WithTransactionAsync(async (transaction, _) =>
        {
            await InsertAsync(transaction, lost);
            throw new InvalidOperationException("changed my mind");
        }, Ct));
        Assert.Equal((1, 0), (await CountAsync(router, kept), await CountAsync(router, lost)));
    }

    [Fact]
    public async Task A_transaction_with_a_serialization_failure_is_retried_and_applied_once()
    {
        await using var router = fixture.Cluster.Router();
        var text = Guid.NewGuid().ToString();
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("INSERT INTO note (text) VALUES (@text || ' 0')", new { text }), Ct);

        // Each increments the value that it read. Without retries, all but one of each round would fail with 40001.
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => router.WithTransactionAsync(async (transaction, _) =>
        {
            var count = await transaction.Connection!.ExecuteScalarAsync<int>("SELECT split_part(text, ' ', 2)::int FROM note WHERE text LIKE @text || ' %'", new { text }, transaction);
            return await transaction.Connection!.ExecuteAsync("UPDATE note SET text = @text || ' ' || @next WHERE text LIKE @text || ' %'", new { text, next = count + 1 }, transaction);
        }, new OperationOptions { IsolationLevel = IsolationLevel.RepeatableRead }, Ct)));
        Assert.Equal(1, await CountAsync(router, $"{text} 4"));
    }

    [Fact]
    public async Task Committed_transactions_earn_retries()
    {
        await using var router = fixture.Cluster.Router();
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        // A read of a missing table is retried once on another host. No host has this table.
        for (var i = 0; i < 1000 && router.GetMetrics().Recovery.RetriesRefused == 0; i++) await Assert.ThrowsAsync<PostgresException>(ReadAsync);
        var refused = router.GetMetrics().Recovery.RetriesRefused;
        Assert.NotEqual(0, refused);

        for (var i = 0; i < 150; i++) await router.WithTransactionAsync((transaction, _) => transaction.Connection!.ExecuteAsync("SELECT 1", transaction: transaction), Ct);
        for (var i = 0; i < 25; i++) await Assert.ThrowsAsync<PostgresException>(ReadAsync);
        Assert.Equal(refused, router.GetMetrics().Recovery.RetriesRefused);

        Task ReadAsync() => router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteAsync("SELECT FROM no_such_table"), Ct);
    }

    [Fact]
    public async Task Work_that_swallows_an_error_gets_an_error_instead_of_a_commit()
    {
        await using var router = fixture.Cluster.Router();
        var error = await Assert.ThrowsAsync<PostgresException>(() => router.WithTransactionAsync(async (transaction, _) =>
        {
            await InsertAsync(transaction, "swallowed");
            try
            {
                await transaction.Connection!.ExecuteAsync("INSERT INTO note (text) VALUES (NULL)", transaction: transaction);
            }
            catch (PostgresException)
            {
                // As an application does when it considers the row optional.
            }
        }, Ct));
        Assert.Equal(PostgresErrorCodes.InFailedSqlTransaction, error.SqlState);
        Assert.Equal(0, await CountAsync(router, "swallowed"));
    }

    [Fact]
    public async Task Work_that_ends_its_transaction_gets_a_usage_error_and_no_unknown_outcome()
    {
        await using var router = fixture.Cluster.Router();
        await Assert.ThrowsAsync<InvalidOperationException>(() => router.WithTransactionAsync((transaction, ct) => transaction.RollbackAsync(ct), Ct));
    }

    [Fact]
    public async Task A_lost_connection_at_commit_is_an_unknown_outcome_and_not_transient()
    {
        await using var router = fixture.Cluster.Router();
        // A deferred trigger runs inside COMMIT and terminates its own backend there.
        var error = await Assert.ThrowsAsync<TransactionOutcomeUnknownException>(() => router.WithTransactionAsync((transaction, _) => transaction.Connection!.ExecuteAsync("""
            CREATE TABLE doomed (id int);
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON doomed DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die();
            INSERT INTO doomed VALUES (1)
            """), Ct));
        Assert.False(error.IsTransient);
        Assert.Equal("primary", error.Host);
        Assert.Equal("primary", await fixture.Cluster.WhoAsync(router, DatabaseOperation.Write));
    }
}
