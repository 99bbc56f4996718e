using System.Data.Common;
using Dapper;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ReplicaRouter.Integrations.Tests.AdoNet;

public class DapperTests(ClusterFixture fixture)
{
    private static readonly string[] s_readReplicas = ["analytics", "background"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_query_runs_on_the_route_of_its_data_source()
    {
        await using var router = fixture.Router();
        var ct = Ct;
        var id = 2;
        #region dapper-query
        DbDataSource reads = router.GetDataSource(DatabaseOperation.Read);

        await using var connection = await reads.OpenConnectionAsync(ct);
        var text = await connection.QuerySingleAsync<string>("SELECT text FROM note WHERE id = @id", new { id });
        #endregion
        Assert.Equal("two", text);
        Assert.Contains(await fixture.WhoAsync(connection), s_readReplicas);
        Assert.True(await connection.ExecuteScalarAsync<bool>("SELECT pg_is_in_recovery()"));
    }

    [Fact]
    public async Task Dapper_works_inside_ExecuteAsync()
    {
        await using var router = fixture.Router();
        var ct = Ct;
        #region dapper-managed
        var texts = await router.ExecuteAsync(DatabaseOperation.Read, (connection, token) =>
            connection.QueryAsync<string>(new CommandDefinition("SELECT text FROM note ORDER BY id LIMIT 2", cancellationToken: token)), ct);
        #endregion
        Assert.Equal(["one", "two"], texts);
        Assert.Equal("background", fixture.NameOf(await router.ExecuteAsync(DatabaseOperation.Background, (connection, _) => connection.QuerySingleAsync<int>(ClusterFixture.WhoAmI), ct)));
    }

    [Fact]
    public async Task Multiple_results_of_one_query_come_from_one_server()
    {
        await using var router = fixture.Router();
        var ct = Ct;
        #region dapper-multiple
        await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Analytics, ct);
        await using var results = await connection.QueryMultipleAsync("SELECT count(*) FROM note; SELECT current_setting('port')::int");
        var count = await results.ReadSingleAsync<long>();
        var port = await results.ReadSingleAsync<int>();
        #endregion
        Assert.True(count >= 2);
        Assert.Equal("analytics", fixture.NameOf(port));
    }

    [Fact]
    public async Task A_command_on_the_write_data_source_runs_on_the_primary()
    {
        await using var router = fixture.Router();
        var ct = Ct;
        #region dapper-execute
        await using var connection = await router.GetDataSource(DatabaseOperation.Write).OpenConnectionAsync(ct);
        var rows = await connection.ExecuteAsync("INSERT INTO note VALUES (@id, @text)", new[] { new { id = 11, text = "eleven" }, new { id = 12, text = "twelve" } });
        #endregion
        Assert.Equal(2, rows);
        Assert.Equal("primary", await fixture.WhoAsync(connection));
        Assert.Equal(2, await fixture.OnPrimaryAsync<long>("SELECT count(*) FROM note WHERE id IN (11, 12)"));
    }

    [Fact]
    public async Task A_connection_that_Dapper_opens_and_closes_stays_on_its_server()
    {
        await using var router = fixture.Router();
        await using var connection = router.GetDataSource(DatabaseOperation.Background).CreateConnection();
        for (var i = 0; i < 3; i++) Assert.Equal("background", await fixture.WhoAsync(connection));
        Assert.Equal(System.Data.ConnectionState.Closed, connection.State);
    }

    [Fact]
    public async Task A_write_on_a_read_route_fails_with_the_servers_error()
    {
        await using var router = fixture.Router();
        await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Read, Ct);
        var error = await Assert.ThrowsAsync<PostgresException>(() => connection.ExecuteAsync("DELETE FROM note"));
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, error.SqlState);
    }

    [Fact]
    public async Task Services_resolve_data_sources_by_operation()
    {
        var variables = fixture.Cluster.EnvironmentVariables.Select(variable => KeyValuePair.Create(variable.Key, (string?)variable.Value));
        var services = new ServiceCollection().AddReplicaRouter(new ConfigurationBuilder().AddInMemoryCollection(variables).Build()).AddSingleton<Reports>();
        await using var provider = services.BuildServiceProvider();
        Assert.Equal("analytics", fixture.NameOf(await provider.GetRequiredService<Reports>().WhoAsync(Ct)));

        await using var unkeyed = await provider.GetRequiredService<DbDataSource>().OpenConnectionAsync(Ct);
        Assert.Equal("primary", await fixture.WhoAsync(unkeyed));
        foreach (var (operation, server) in new[] { (DatabaseOperation.Write, "primary"), (DatabaseOperation.Transactional, "primary"), (DatabaseOperation.Background, "background") })
        {
            await using var connection = await provider.GetRequiredKeyedService<DbDataSource>(operation).OpenConnectionAsync(Ct);
            Assert.Equal(server, await fixture.WhoAsync(connection));
        }
    }

    #region dapper-keyed
    private sealed class Reports([FromKeyedServices(DatabaseOperation.Analytics)] DbDataSource reports)
    {
        public async Task<int> WhoAsync(CancellationToken ct)
        {
            await using var connection = await reports.OpenConnectionAsync(ct);
            return await connection.QuerySingleAsync<int>("SELECT current_setting('port')::int");
        }
    }
    #endregion
}
