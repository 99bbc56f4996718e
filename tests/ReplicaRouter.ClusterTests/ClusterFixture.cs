using Dapper;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

[assembly: AssemblyFixture(typeof(ReplicaRouter.ClusterTests.ClusterFixture))]

namespace ReplicaRouter.ClusterTests;

/// <summary>One primary and three streaming replicas for all tests that leave the servers unchanged.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    public LocalCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Cluster = await LocalCluster.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var connection = new NpgsqlConnection(Cluster.Primary.ConnectionString);
        await connection.ExecuteAsync("CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL)");
        await Cluster.WaitForReplicationAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}

internal static class ClusterExtensions
{
    /// <summary>Returns options for a router over the servers, read from the cluster's environment variables.</summary>
    public static DatabaseRouterOptions Options(this LocalCluster cluster, params string[] servers)
    {
        var options = cluster.RouterOptions(servers);
        options.ApplicationName = "cluster tests";
        return options;
    }

    public static DatabaseRouter Router(this LocalCluster cluster, Action<DatabaseRouterOptions>? configure = null)
    {
        var options = cluster.Options();
        configure?.Invoke(options);
        return DatabaseRouter.Create(options);
    }

    /// <summary>Returns a router that has found all hosts healthy. A router that has just started can know only some of them, which then serve everything.</summary>
    public static async Task<DatabaseRouter> HealthyRouterAsync(this LocalCluster cluster, Action<DatabaseRouterOptions>? configure = null)
    {
        var router = cluster.Router(configure);
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(30), "all healthy");
        return router;
    }

    /// <summary>Waits until one standby has replayed everything that the primary has flushed so far.</summary>
    public static async Task WaitForReplicationOnAsync(this LocalCluster cluster, string server, CancellationToken ct)
    {
        await using var primary = new NpgsqlConnection(cluster.Primary.SuperuserConnectionString);
        var written = await primary.ExecuteScalarAsync<long>("SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint");
        await using var standby = new NpgsqlConnection(cluster[server].SuperuserConnectionString);
        await Eventually.Async(async () => await standby.ExecuteScalarAsync<long>("SELECT (pg_last_wal_replay_lsn() - '0/0')::bigint") >= written, TimeSpan.FromSeconds(10), "replayed");
    }

    /// <summary>Returns the name of the server that really answered, found by the port that it reports.</summary>
    public static async Task<string> WhoAsync(this LocalCluster cluster, NpgsqlConnection connection)
    {
        var port = await connection.ExecuteScalarAsync<int>("SELECT current_setting('port')::int");
        return cluster.Servers.Single(server => server.Port == port).Name;
    }

    public static Task<string> WhoAsync(this LocalCluster cluster, DatabaseRouter router, DatabaseRoute route) =>
        router.ExecuteAsync(route, (connection, _) => cluster.WhoAsync(connection), TestContext.Current.CancellationToken);
}

internal static class Eventually
{
    /// <summary>Waits until a condition holds, and returns how long that took.</summary>
    public static Task<TimeSpan> Async(Func<bool> condition, TimeSpan bound, string what) => Async(() => Task.FromResult(condition()), bound, what);

    /// <inheritdoc cref="Async(Func{bool}, TimeSpan, string)"/>
    public static async Task<TimeSpan> Async(Func<Task<bool>> condition, TimeSpan bound, string what)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < bound, $"{what}: not within {bound.TotalSeconds} s");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        return TimeProvider.System.GetElapsedTime(start);
    }
}
