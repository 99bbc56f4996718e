using Dapper;
using Npgsql;
using ReplicaRouter.Testing;
using ReplicaRouter.Tool.Clusters;

namespace ReplicaRouter.Tool.Tests;

/// <summary>A cluster as <c>cluster up</c> starts it, which ends with the tests.</summary>
public sealed class DevelopmentClusterFixture : IAsyncLifetime
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(20);

    public LocalCluster Cluster { get; private set; } = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Cluster = await LocalCluster.StartAsync(DevelopmentCluster.Options(folder: null, DevelopmentCluster.UsualReplicas), Ct);
        await DevelopmentCluster.GrantMonitorAsync(Cluster, Ct);
        await ExecuteAsync("primary", "CREATE TABLE written (number int)");
        await SettleAsync();
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();

    /// <summary>Waits until every replica streams and has replayed everything.</summary>
    public async Task SettleAsync()
    {
        await Cluster.WaitForReplicationAsync(Ct);
        foreach (var server in Cluster.Servers.Where(server => server != Cluster.Primary))
            await UntilAsync(server.Name, "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')");
    }

    /// <summary>Returns the command's arguments that name the hosts, with the given URLs in place of some.</summary>
    public IEnumerable<string> Urls(params (string Host, string Url)[] others) => Cluster.Servers.SelectMany(server =>
        new[] { "--url", $"{server.Name}={others.FirstOrDefault(other => other.Host == server.Name).Url ?? server.Url}" });

    internal Task<ToolRun> RunAsync(params string[] args) => ToolRun.Async([.. args, .. Urls()], Ct);

    public Task WriteAsync() => ExecuteAsync("primary", "INSERT INTO written VALUES (1)");

    public async Task ExecuteAsync(string server, string sql)
    {
        await using var connection = Superuser(server);
        await connection.ExecuteAsync(sql);
    }

    /// <summary>Sets a parameter that needs only a reload, and waits until new database sessions have it; null resets it.</summary>
    public async Task SetAsync(string server, string parameter, string? value)
    {
        await using (var connection = Superuser(server))
        {
            await connection.OpenAsync(Ct);
            await connection.ExecuteAsync(value is null ? $"ALTER SYSTEM RESET {parameter}" : $"ALTER SYSTEM SET {parameter} = '{value}'");
            await connection.ExecuteAsync("SELECT pg_reload_conf()");
        }

        await UntilAsync(server, value is null
            ? $"SELECT sourcefile IS DISTINCT FROM current_setting('data_directory') || '/postgresql.auto.conf' FROM pg_settings WHERE name = '{parameter}'"
            : $"SELECT current_setting('{parameter}') = '{value}'");
    }

    public async Task UntilAsync(string server, string condition)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await using var connection = Superuser(server);
            if (await connection.ExecuteScalarAsync<bool>(condition)) return;
            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_bound, $"{server}: not within {s_bound.TotalSeconds} s: {condition}");
            await Task.Delay(20, Ct);
        }
    }

    /// <summary>Returns a URL that logs in as the cluster's superuser.</summary>
    public string SuperuserUrl(string server)
    {
        var login = new NpgsqlConnectionStringBuilder(Cluster[server].SuperuserConnectionString);
        return $"postgresql://{login.Username}:{login.Password}@{login.Host}:{login.Port}/app";
    }

    private NpgsqlConnection Superuser(string server) => new(new NpgsqlConnectionStringBuilder(Cluster[server].SuperuserConnectionString) { Database = "app" }.ConnectionString);
}

/// <summary>Tests that share the cluster. They run one at a time, because some of them break it for a while.</summary>
[CollectionDefinition(Name)]
public sealed class DevelopmentClusterTests : ICollectionFixture<DevelopmentClusterFixture>
{
    public const string Name = "development cluster";
}
