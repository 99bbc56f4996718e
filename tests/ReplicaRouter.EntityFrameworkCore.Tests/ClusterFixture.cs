using Dapper;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

// Servers that fail under load would disturb tests that run at the same time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: AssemblyFixture(typeof(ReplicaRouter.EntityFrameworkCore.Tests.ClusterFixture))]

namespace ReplicaRouter.EntityFrameworkCore.Tests;

/// <summary>One cluster, and one router over it, for all tests that leave the servers unchanged.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    public LocalCluster Cluster { get; private set; } = null!;
    public DatabaseRouter Router { get; private set; } = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Cluster = await LocalCluster.StartAsync(cancellationToken: Ct);
        await Cluster.CreateSchemaAsync();
        Router = await Cluster.HealthyRouterAsync(options =>
        {
            options.Routes["search"] = new DatabaseRouteOptions { Groups = { "background" } };
            // Paused replicas keep serving, so that only the session, and not lag, keeps its reads away from them.
            options.MaxLag = TimeSpan.FromMinutes(10);
            options.ConfigureDataSource = source => source.UseNodaTime();
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Router.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    public NotesDb Open(Action<NpgsqlDbContextOptionsBuilder>? npgsql = null, Action<DbContextOptionsBuilder>? configure = null) => Router.Open(npgsql, configure);

    /// <summary>Returns the name of the server that listens on a port.</summary>
    public string NameOf(int port) => Cluster.NameOf(port);

    /// <summary>Runs a test while replay is paused on all replicas.</summary>
    public async Task WithReplayPausedAsync(Func<Task> test)
    {
        await Cluster.WaitForReplicationAsync(Ct);
        var replicas = Cluster.Servers.Where(server => server != Cluster.Primary).ToList();
        foreach (var replica in replicas) await replica.PauseReplayAsync(Ct);
        try
        {
            await test();
        }
        finally
        {
            foreach (var replica in replicas) await replica.ResumeReplayAsync(Ct);
        }
    }
}

internal static class TestExtensions
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task CreateSchemaAsync(this LocalCluster cluster)
    {
        await cluster.GrantMonitorAsync();
        await using var connection = new NpgsqlConnection(cluster.Primary.ConnectionString);
        await connection.ExecuteAsync(NotesDb.Schema);
        await cluster.WaitForReplicationAsync(Ct);
    }

    /// <summary>Returns a router that has found every host healthy.</summary>
    public static async Task<DatabaseRouter> HealthyRouterAsync(this LocalCluster cluster, Action<DatabaseRouterOptions>? configure = null)
    {
        var options = cluster.RouterOptions();
        configure?.Invoke(options);
        var router = DatabaseRouter.Create(options);
        await EventuallyAsync(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), 15, "all healthy");
        return router;
    }

    public static NotesDb Open(this DatabaseRouter router, Action<NpgsqlDbContextOptionsBuilder>? npgsql = null, Action<DbContextOptionsBuilder>? configure = null)
    {
        var options = new DbContextOptionsBuilder<NotesDb>().UseReplicaRouter(router, npgsql);
        configure?.Invoke(options);
        return new NotesDb(options.Options);
    }

    public static string NameOf(this LocalCluster cluster, int port) => cluster.Servers.Single(server => server.Port == port).Name;

    public static Task EventuallyAsync(Func<bool> condition, double seconds, string what) => EventuallyAsync(() => Task.FromResult(condition()), seconds, what);

    public static async Task EventuallyAsync(Func<Task<bool>> condition, double seconds, string what)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start).TotalSeconds < seconds, $"{what}: not within {seconds} s");
            await Task.Delay(10, Ct);
        }
    }
}
