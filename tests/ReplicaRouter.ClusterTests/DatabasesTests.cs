using Dapper;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

/// <summary>Several databases of one cluster that share one router's hosts, probes and sessions.</summary>
[Trait("PostgreSQL", "any")]
public sealed class DatabasesTests : IAsyncLifetime
{
    private const string ByDatabase = "SELECT count(*)::int FROM pg_stat_activity WHERE datname = @database AND backend_type = 'client backend'";
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(40);

    private LocalCluster _cluster = null!;
    private DatabaseRouter _router = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "background" }] }, Ct);
        await _cluster.GrantMonitorAsync();
        foreach (var tenant in (string[])["tenant_1", "tenant_2"])
        {
            await using (var admin = new NpgsqlConnection(_cluster.Primary.SuperuserConnectionString)) await admin.ExecuteAsync($"CREATE DATABASE {tenant} OWNER app");
            var settings = new NpgsqlConnectionStringBuilder(_cluster.Primary.ConnectionString) { Database = tenant, Pooling = false };
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.ExecuteAsync("CREATE TABLE note (text text)");
        }

        await _cluster.WaitForReplicationAsync(Ct);
        var options = _cluster.Options();
        // Paused replicas keep serving, so that only the session, and not lag, keeps its reads away from them.
        options.MaxLag = TimeSpan.FromMinutes(10);
        _router = DatabaseRouter.Create(options);
        await Eventually.Async(() => _router.GetHealthStatus().Values.All(host => host.IsHealthy), s_bound, "all healthy");
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Each_router_opens_its_database_on_a_host_that_fits_the_operation()
    {
        var tenant = _router.ForDatabase("tenant_1");
        foreach (var operation in Enum.GetValues<DatabaseOperation>())
        {
            await using var connection = await tenant.OpenConnectionAsync(operation, Ct);
            Assert.Equal("tenant_1", await connection.ExecuteScalarAsync<string>("SELECT current_database()"));
            var isPrimarys = operation is DatabaseOperation.Write or DatabaseOperation.Transactional;
            Assert.Equal(!isPrimarys, await connection.ExecuteScalarAsync<bool>("SELECT pg_is_in_recovery()"));
        }

        await using (var routed = await tenant.GetDataSource(DatabaseOperation.Read).OpenConnectionAsync(Ct)) Assert.Equal("tenant_1", await routed.ExecuteScalarAsync<string>("SELECT current_database()"));
        await using var client = await tenant.GetClient(DatabaseOperation.Read).OpenConnectionAsync(Ct);
        Assert.Equal("tenant_1", await client.ExecuteScalarAsync<string>("SELECT current_database()"));
        Assert.Equal("app", await _router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteScalarAsync<string>("SELECT current_database()"), Ct));
        Assert.Equal("tenant_2", await _router.ForDatabase("tenant_2").WithTransactionAsync((transaction, _) => transaction.Connection!.ExecuteScalarAsync<string>("SELECT current_database()"), Ct));
    }

    [Fact]
    public async Task A_session_covers_all_databases_of_its_cluster_and_reads_what_it_wrote()
    {
        foreach (var name in (string[])["analytics", "background"]) await _cluster[name].PauseReplayAsync(Ct);
        using (var session = _router.BeginSession())
        {
            await _router.ForDatabase("tenant_1").ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("INSERT INTO note VALUES ('seen')"), Ct);
            Assert.Equal(1, await CountAsync(_router.ForDatabase("tenant_1")));
            Assert.Equal(0, await CountAsync(_router.ForDatabase("tenant_2")));
        }

        // Without a session the replicas answer, and they have not replayed the write.
        Assert.Equal(0, await CountAsync(_router.ForDatabase("tenant_1")));
    }

    [Fact]
    public async Task Databases_share_probes_and_metrics_and_keep_no_unused_connections()
    {
        foreach (var name in (string[])["tenant_1", "tenant_2"]) Assert.Equal(0, await CountAsync(_router.ForDatabase(name)));
        Assert.Equal(2, _router.GetMetrics().QueriesRouted[DatabaseOperation.Read]);
        foreach (var server in _cluster.Servers)
        {
            await using var observer = new NpgsqlConnection(server.SuperuserConnectionString);
            Assert.Equal(1, await observer.ExecuteScalarAsync<int>("SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'ReplicaRouter probe'"));
        }

        await Eventually.Async(async () =>
        {
            var open = 0;
            foreach (var server in _cluster.Servers)
            {
                await using var observer = new NpgsqlConnection(server.SuperuserConnectionString);
                foreach (var database in (string[])["tenant_1", "tenant_2"]) open += await observer.ExecuteScalarAsync<int>(ByDatabase, new { database });
            }

            return open == 0;
        }, s_bound, "the idle connections are closed");
        Assert.Equal(0, await CountAsync(_router.ForDatabase("tenant_1")));
        Assert.Equal(3, _router.GetMetrics().QueriesRouted[DatabaseOperation.Read]);
    }

    [Fact]
    public async Task A_failover_is_followed_in_every_database()
    {
        await _cluster.Primary.KillAsync(Ct);
        await _cluster.PromoteAsync("background", cancellationToken: Ct);
        await _router.ForDatabase("tenant_2").ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("INSERT INTO note VALUES ('after')"), Ct);
        using var session = _router.BeginSession();
        await _router.ForDatabase("tenant_1").ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("INSERT INTO note VALUES ('after')"), Ct);
        Assert.Equal(1, await CountAsync(_router.ForDatabase("tenant_1")));
    }

    [Fact]
    public async Task Each_EF_Core_context_can_have_its_own_database()
    {
        using var session = _router.BeginSession();
        await using (var db = Open("tenant_1")) Assert.Equal(1, await db.Database.ExecuteSqlAsync($"INSERT INTO note VALUES ('by EF')", Ct));
        await using (var db = Open("tenant_1")) Assert.Equal(["by EF"], await db.Database.SqlQuery<string>($"SELECT text AS \"Value\" FROM note").ToListAsync(Ct));
        await using (var db = Open("tenant_2")) Assert.Empty(await db.Database.SqlQuery<string>($"SELECT text AS \"Value\" FROM note").ToListAsync(Ct));

        DbContext Open(string database) => new(new DbContextOptionsBuilder().UseReplicaRouter(_router.ForDatabase(database)).Options);
    }

    [Fact]
    public async Task A_missing_database_fails_at_once_by_name_and_hosts_keep_serving_the_others()
    {
        var startedAt = TimeProvider.System.GetTimestamp();
        foreach (var operation in (DatabaseOperation[])[DatabaseOperation.Read, DatabaseOperation.Write])
        {
            var error = await Assert.ThrowsAsync<DatabaseRouterConfigurationException>(() => _router.ForDatabase("no_such").OpenConnectionAsync(operation, Ct).AsTask());
            Assert.Contains("has no database 'no_such'", error.Message, StringComparison.Ordinal);
            Assert.Contains("ForDatabase", error.Message, StringComparison.Ordinal);
        }

        // At once, and not after the 10 s that a write waits for a host.
        Assert.InRange(TimeProvider.System.GetElapsedTime(startedAt).TotalSeconds, 0, 5);
        Assert.Equal(0, await CountAsync(_router.ForDatabase("tenant_1")));
        Assert.All(_router.GetHealthStatus().Values, host => Assert.True(host.IsHealthy));
    }

    private static Task<int> CountAsync(DatabaseRouter router) =>
        router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteScalarAsync<int>("SELECT count(*)::int FROM note"), Ct);
}
