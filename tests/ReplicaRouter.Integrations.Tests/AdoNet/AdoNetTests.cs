using Dapper;
using Npgsql;

namespace ReplicaRouter.Integrations.Tests.AdoNet;

/// <summary>Features that need the physical connection.</summary>
public class AdoNetTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task COPY_imports_on_the_primary_and_exports_from_the_analytics_replica()
    {
        await using var router = fixture.Router();
        var ct = Ct;
        using var session = router.BeginSession();
        #region copy-in
        await using (var connection = await router.OpenConnectionAsync(DatabaseOperation.Write, ct))
        {
            await using var import = await connection.BeginBinaryImportAsync("COPY note (id, text) FROM STDIN (FORMAT binary)", ct);
            for (var id = 1000; id < 2000; id++) await import.WriteRowAsync(ct, id, $"note {id}");
            await import.CompleteAsync(ct);
        }
        #endregion

        var copied = new List<string>();
        #region copy-out
        await using (var connection = await router.OpenConnectionAsync(DatabaseOperation.Analytics, ct))
        {
            await using var export = await connection.BeginBinaryExportAsync("COPY (SELECT text FROM note WHERE id BETWEEN 1000 AND 1999) TO STDOUT (FORMAT binary)", ct);
            while (await export.StartRowAsync(ct) >= 0) copied.Add(await export.ReadAsync<string>(ct));
        }
        #endregion
        Assert.Equal(1000, copied.Distinct().Count());

        await using var again = await router.OpenConnectionAsync(DatabaseOperation.Analytics, ct);
        Assert.Equal("analytics", await fixture.WhoAsync(again));
    }

    [Fact]
    public async Task A_replica_refuses_a_COPY_import()
    {
        await using var router = fixture.Router();
        await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Analytics, Ct);
        var error = await Assert.ThrowsAsync<PostgresException>(() => connection.BeginBinaryImportAsync("COPY note (id, text) FROM STDIN (FORMAT binary)", Ct));
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, error.SqlState);
    }

    [Fact]
    public async Task Notifications_arrive_on_the_primary()
    {
        await using var router = fixture.Router();
        var ct = Ct;
        string? heard = null;
        #region listen
        await using var listener = await router.OpenConnectionAsync(DatabaseOperation.Write, ct);
        listener.Notification += (_, notification) => heard = notification.Payload;
        await listener.ExecuteAsync("LISTEN orders");
        #endregion
        Assert.Equal("primary", await fixture.WhoAsync(listener));

        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("NOTIFY orders, 'order 1'"), ct);
        Assert.True(await listener.WaitAsync(TimeSpan.FromSeconds(10), ct));
        Assert.Equal("order 1", heard);
    }

    [Fact]
    public async Task A_replica_refuses_to_listen()
    {
        await using var router = fixture.Router();
        await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Read, Ct);
        var error = await Assert.ThrowsAsync<PostgresException>(() => connection.ExecuteAsync("LISTEN orders"));
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, error.SqlState);
    }

    [Fact]
    public async Task A_batch_is_one_round_trip_to_one_server()
    {
        await using var router = fixture.Router();
        var ct = Ct;
        #region batch
        await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Write, ct);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("INSERT INTO note VALUES (21, 'twenty-one')"),
                new NpgsqlBatchCommand("INSERT INTO note VALUES ($1, $2)") { Parameters = { new() { Value = 22 }, new() { Value = "twenty-two" } } },
                new NpgsqlBatchCommand("SELECT current_setting('port')::int"),
            },
        };
        var port = (int)(await batch.ExecuteScalarAsync(ct))!;
        #endregion
        Assert.Equal("primary", fixture.NameOf(port));
        Assert.Equal(2, await fixture.OnPrimaryAsync<long>("SELECT count(*) FROM note WHERE id IN (21, 22)"));
    }

    [Fact]
    public async Task A_batch_of_the_background_data_source_runs_on_its_replica()
    {
        await using var router = fixture.Router();
        await using var batch = router.GetDataSource(DatabaseOperation.Background).CreateBatch();
        // .NET's CreateBatchCommand for data sources is not implemented.
        foreach (var sql in new[] { "SELECT pg_is_in_recovery()", ClusterFixture.WhoAmI }) batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
        await using var reader = await batch.ExecuteReaderAsync(Ct);
        Assert.True(await reader.ReadAsync(Ct));
        Assert.True(reader.GetBoolean(0));
        Assert.True(await reader.NextResultAsync(Ct));
        Assert.True(await reader.ReadAsync(Ct));
        Assert.Equal("background", fixture.NameOf(reader.GetInt32(0)));
    }

    [Fact]
    public async Task A_prepared_statement_stays_on_its_pooled_connection()
    {
        await using var router = fixture.Router();
        var ct = Ct;
        for (var i = 0; i < 3; i++)
        {
            #region prepare
            await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Background, ct);
            await using var command = new NpgsqlCommand("SELECT text FROM note WHERE id = $1", connection) { Parameters = { new() { Value = 1 } } };
            await command.PrepareAsync(ct);     // a round trip the first time on this physical connection, then none
            var text = (string)(await command.ExecuteScalarAsync(ct))!;
            #endregion
            Assert.Equal("one", text);
            Assert.Equal("background", await fixture.WhoAsync(connection));
            // The connection came from the pool with its prepared statement.
            Assert.Equal(1, await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT text FROM note%'"));
        }
    }

    [Fact]
    public async Task Statements_are_auto_prepared_only_if_the_connection_string_enables_it()
    {
        await using var router = fixture.Router("Max Auto Prepare=10;Auto Prepare Min Usages=2");
        async Task<long> PreparedAsync(DatabaseOperation operation)
        {
            await using var connection = await router.OpenConnectionAsync(operation, Ct);
            await using var command = new NpgsqlCommand("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT text FROM note%'", connection);
            await using var read = new NpgsqlCommand("SELECT text FROM note WHERE id = $1", connection) { Parameters = { new() { Value = 1 } } };
            for (var i = 0; i < 3; i++) Assert.Equal("one", await read.ExecuteScalarAsync(Ct));
            return (long)(await command.ExecuteScalarAsync(Ct))!;
        }

        Assert.Equal(1, await PreparedAsync(DatabaseOperation.Background));
        Assert.Equal(1, await PreparedAsync(DatabaseOperation.Write));
        await using var plain = fixture.Router();
        await using var connection = await plain.OpenConnectionAsync(DatabaseOperation.Write, Ct);
        for (var i = 0; i < 3; i++) await connection.ExecuteScalarAsync("SELECT text FROM note WHERE id = 1");
        Assert.Equal(0, await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_prepared_statements"));
    }
}
