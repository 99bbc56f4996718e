using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

[assembly: AssemblyFixture(typeof(ReplicaRouter.Integrations.Tests.ClusterFixture))]

namespace ReplicaRouter.Integrations.Tests;

/// <summary>One primary and three streaming replicas for all tests that leave the servers as they are.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    /// <summary>SQL that returns the port of the answering server.</summary>
    public const string WhoAmI = "SELECT current_setting('port')::int";

    public LocalCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Cluster = await LocalCluster.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var connection = new NpgsqlConnection(Cluster.Primary.ConnectionString);
        await connection.ExecuteAsync(
            """
            CREATE TABLE note (id int PRIMARY KEY, text text NOT NULL);
            INSERT INTO note VALUES (1, 'one'), (2, 'two');
            """);
        await Cluster.WaitForReplicationAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();

    /// <summary>Creates a router whose connection strings have additional settings.</summary>
    public DatabaseRouter Router(string settings = "")
    {
        var options = new DatabaseRouterOptions();
        foreach (var server in Cluster.Servers) options.Hosts[server.Name] = new DatabaseHostOptions { ConnectionString = $"{server.ConnectionString};{settings}" };
        return DatabaseRouter.Create(options);
    }

    public string NameOf(int port) => Cluster.Servers.Single(server => server.Port == port).Name;

    public async Task<string> WhoAsync(System.Data.Common.DbConnection connection) => NameOf(await connection.ExecuteScalarAsync<int>(WhoAmI));

    /// <summary>Runs a query on the primary, without the router.</summary>
    public async Task<T?> OnPrimaryAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(Cluster.Primary.ConnectionString);
        return await connection.ExecuteScalarAsync<T>(sql);
    }
}
