using Dapper;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.EntityFrameworkCore.Tests.Failures;

/// <summary>An error in a context that retries on failure changes a host's state only if it proves something about that host.</summary>
[Trait("Failure", "B5")]
public class BlameTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static Task<LocalCluster> StartAsync(params string[] replicas) =>
        LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [.. replicas.Select(name => new LocalReplicaOptions { Name = name })] }, Ct);

    private static NotesDb Open(DatabaseRouter router) => router.Open(npgsql => npgsql.EnableRetryOnFailure(2, TimeSpan.FromMilliseconds(50), null));

    private static IEnumerable<string> WentDown(DatabaseRouter router) =>
        router.GetMetrics().Transitions.Where(transition => transition.State is HostState.Down or HostState.Restarting or HostState.Full).Select(transition => transition.Host);

    [Fact]
    public async Task A_read_that_primary_protection_sheds_is_not_a_failure_of_the_primary()
    {
        await using var cluster = await StartAsync("analytics");
        await cluster.CreateSchemaAsync();
        await using var router = await cluster.HealthyRouterAsync(options =>
        {
            options.PrimaryProtection.MaxConcurrentReads = 1;
            options.Routes["read"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMilliseconds(50) };
        });
        await router.DrainAsync("analytics", Ct);
        await using var db = Open(router);
        // The primary serves this read, so errors of the context's next queries could be blamed on it.
        Assert.Equal(2, await db.Notes.CountAsync(Ct));
        await using (await router.OpenConnectionAsync(DatabaseOperation.Read, Ct))
        {
            for (var i = 0; i < 5; i++) await Assert.ThrowsAsync<Microsoft.EntityFrameworkCore.Storage.RetryLimitExceededException>(() => db.Notes.CountAsync(Ct));
        }

        Assert.Empty(WentDown(router));
        db.Add(new Token { Id = Guid.NewGuid() });
        await db.SaveChangesAsync(Ct);
    }

    [Fact]
    public async Task A_save_without_a_primary_is_not_a_failure_of_the_replica_that_served_last()
    {
        await using var cluster = await StartAsync("analytics", "background");
        await cluster.CreateSchemaAsync();
        await using var router = await cluster.HealthyRouterAsync(options => options.Routes["write"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMilliseconds(50) });
        await using var db = Open(router);
        await cluster.Primary.KillAsync(Ct);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(2, await db.Notes.CountAsync(Ct));
            db.Add(new Token { Id = Guid.NewGuid() });
            await Assert.ThrowsAnyAsync<Exception>(() => db.SaveChangesAsync(Ct));
        }

        Assert.DoesNotContain(WentDown(router), host => host != "primary");
    }

    [Theory]
    [InlineData("08006")]
    [InlineData("08001")]
    [InlineData("57P03")]
    [InlineData("53300")]
    public async Task A_query_that_raises_a_connection_error_is_not_a_failure_of_its_host(string sqlState)
    {
        await using var cluster = await StartAsync("analytics", "background");
        await cluster.CreateSchemaAsync();
        await using (var connection = new NpgsqlConnection(cluster.Primary.ConnectionString))
        {
            await connection.ExecuteAsync($"CREATE FUNCTION fails() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'another server is gone' USING ERRCODE = '{sqlState}'; END $$");
        }

        await cluster.WaitForReplicationAsync(Ct);
        await using var router = await cluster.HealthyRouterAsync();
        await using var db = Open(router);
        for (var i = 0; i < 5; i++)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => db.Database.SqlQuery<int>($"SELECT fails() AS \"Value\"").RouteTo(DatabaseOperation.Read).ToListAsync(Ct));
        }

        Assert.Empty(WentDown(router));
    }
}
