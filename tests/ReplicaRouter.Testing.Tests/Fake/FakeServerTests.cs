using Npgsql;
using static ReplicaRouter.Testing.Tests.Probe;

namespace ReplicaRouter.Testing.Tests.Fake;

/// <summary>Npgsql works with a fake server as with a real one.</summary>
public sealed class FakeServerTests : IAsyncLifetime
{
    private readonly FakeServer _server = FakeServer.Start();
    private NpgsqlDataSource _dataSource = null!;

    public ValueTask InitializeAsync()
    {
        _dataSource = NpgsqlDataSource.Create(_server.ConnectionString);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _dataSource.DisposeAsync();
        await _server.DisposeAsync();
    }

    private string[] FirstWords => [.. _server.Statements.Select(statement => statement.Sql.Split(' ')[0])];

    private Task WaitForAsync(Func<bool> condition) => _server.WaitForAsync(condition, TimeSpan.FromSeconds(20), Ct);

    private async Task<object?> AskAsync(string sql)
    {
        await using var command = _dataSource.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }

    [Fact]
    public async Task A_login_shows_the_version_and_the_role()
    {
        await using var connection = await _dataSource.OpenConnectionAsync(Ct);
        Assert.Equal(new Version(17, 5), connection.PostgreSqlVersion);
        Assert.Equal("off", connection.PostgresParameters["in_hot_standby"]);
        Assert.Equal((1, 1), (_server.Logins, _server.OpenConnections));
    }

    [Fact]
    public async Task An_unscripted_statement_is_answered_with_the_tag_of_its_first_word()
    {
        Assert.Equal(1, await AskAsync("SELECT 1"));
        Assert.Null(await AskAsync("SELECT name FROM customers"));
        await using var insert = _dataSource.CreateCommand("INSERT INTO orders VALUES (1)");
        Assert.Equal(1, await insert.ExecuteNonQueryAsync(Ct));
        Assert.Equal(["SELECT", "SELECT", "INSERT"], FirstWords);
    }

    [Fact]
    public async Task The_last_matching_script_takes_precedence()
    {
        _server.On("SELECT balance", FakeAnswer.Row(1));
        _server.On("select  BALANCE from accounts", FakeAnswer.Row(2));
        _server.On(statement => statement.Sql.EndsWith("WHERE id = 3", StringComparison.Ordinal) ? FakeAnswer.Row(3) : null);
        Assert.Equal(1, await AskAsync("SELECT balance"));
        Assert.Equal(2, await AskAsync("SELECT balance FROM accounts"));
        Assert.Equal(3, await AskAsync("SELECT balance FROM accounts WHERE id = 3"));
    }

    [Fact]
    public async Task Parameters_come_in_and_values_go_out_with_their_types()
    {
        object[] values =
        [
            (short)6, 7, 8L, 1.5, true, "tea",
            new DateTime(2026, 11, 30, 12, 0, 0, DateTimeKind.Utc), new Guid("6f1b0a52-43f5-4f3c-9a8e-0d3c6f7b2a11"),
        ];
        _server.On("SELECT echo", statement => FakeAnswer.Row([.. statement.Parameters]));
        await using var command = _dataSource.CreateCommand("SELECT echo($1, $2, $3, $4, $5, $6, $7, $8)");
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await using var reader = await command.ExecuteReaderAsync(Ct);
        Assert.True(await reader.ReadAsync(Ct));
        Assert.Equal(values, Enumerable.Range(0, values.Length).Select(reader.GetValue));
    }

    [Fact]
    public async Task Null_and_several_rows_are_sent()
    {
        _server.On("SELECT name", FakeAnswer.Table(("id", typeof(int)), ("name", typeof(string))).With(1, "tea").With(2, null));
        await using var command = _dataSource.CreateCommand("SELECT name FROM products");
        await using var reader = await command.ExecuteReaderAsync(Ct);
        Assert.True(await reader.ReadAsync(Ct));
        Assert.Equal("tea", reader.GetString(reader.GetOrdinal("name")));
        Assert.True(await reader.ReadAsync(Ct));
        Assert.True(await reader.IsDBNullAsync(1, Ct));
        Assert.False(await reader.ReadAsync(Ct));
    }

    [Fact]
    public void A_row_that_does_not_fit_the_columns_is_refused()
    {
        Assert.Throws<ArgumentException>(() => FakeAnswer.Table(("id", typeof(int))).With("tea"));
        Assert.Throws<ArgumentException>(() => FakeAnswer.Table(("id", typeof(int))).With(1, 2));
        Assert.Throws<NotSupportedException>(() => FakeAnswer.Row(1m));
    }

    [Fact]
    public async Task A_prepared_statement_is_described_once_and_run_with_each_parameter()
    {
        _server.On("SELECT name", statement => FakeAnswer.Table(("name", typeof(string))).With(statement.IsPreparation ? null : $"name {statement.Parameters[0]}"));
        for (var round = 0; round < 2; round++)
        {
            // The second round uses the pooled connection, which Npgsql resets first.
            await using var connection = await _dataSource.OpenConnectionAsync(Ct);
            await using var command = new NpgsqlCommand("SELECT name FROM products WHERE id = $1", connection);
            var id = new NpgsqlParameter<int> { TypedValue = 1 };
            command.Parameters.Add(id);
            await command.PrepareAsync(Ct);
            Assert.Equal("name 1", await command.ExecuteScalarAsync(Ct));
            id.TypedValue = 2;
            Assert.Equal("name 2", await command.ExecuteScalarAsync(Ct));
        }

        Assert.Equal(1, _server.Logins);
        Assert.Equal(4, _server.Statements.Count);
        Assert.Contains(_server.AllStatements, statement => statement.Sql == "DISCARD TEMP");
    }

    [Fact]
    public async Task A_batch_has_a_result_for_each_statement()
    {
        await using var connection = await _dataSource.OpenConnectionAsync(Ct);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new("SELECT 1"), new("UPDATE a SET b = 1"), new("SELECT 2") } };
        await using var reader = await batch.ExecuteReaderAsync(Ct);
        Assert.True(await reader.ReadAsync(Ct));
        Assert.Equal(1, reader.GetInt32(0));
        Assert.True(await reader.NextResultAsync(Ct));
        Assert.True(await reader.ReadAsync(Ct));
        Assert.Equal(2, reader.GetInt32(0));
        Assert.Equal(["SELECT", "UPDATE", "SELECT"], FirstWords);
    }

    [Fact]
    public async Task After_an_error_the_rest_of_the_batch_is_skipped_and_the_connection_goes_on()
    {
        _server.On("UPDATE", FakeAnswer.Error("23505", "duplicate key"));
        await using var connection = await _dataSource.OpenConnectionAsync(Ct);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new("UPDATE a SET b = 1"), new("INSERT INTO a VALUES (1)") } };
        var error = await Assert.ThrowsAsync<PostgresException>(() => batch.ExecuteNonQueryAsync(Ct));
        Assert.Equal(("23505", "duplicate key", "ERROR"), (error.SqlState, error.MessageText, error.Severity));

        await using var again = new NpgsqlCommand("SELECT 1", connection);
        Assert.Equal(1, await again.ExecuteScalarAsync(Ct));
        Assert.Equal(["UPDATE", "SELECT"], FirstWords);
        Assert.Equal(1, _server.Logins);
    }

    [Fact]
    public async Task A_transaction_commits()
    {
        await using var connection = await _dataSource.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await using var update = new NpgsqlCommand("UPDATE a SET b = 1", connection, transaction);
        await update.ExecuteNonQueryAsync(Ct);
        await using var question = new NpgsqlCommand("SELECT txid_current_if_assigned()", connection, transaction);
        var id = (long)(await question.ExecuteScalarAsync(Ct))!;
        Assert.Equal("in progress", await StatusOfAsync(id));
        await transaction.CommitAsync(Ct);
        Assert.Equal("committed", await StatusOfAsync(id));
        Assert.Equal(["BEGIN", "UPDATE", "COMMIT"], FirstWords);
    }

    [Fact]
    public async Task A_failed_transaction_refuses_everything_but_its_end()
    {
        _server.On("UPDATE", FakeAnswer.Error("40001"));
        await using var connection = await _dataSource.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        foreach (var (sql, state) in new[] { ("UPDATE a SET b = 1", "40001"), ("SELECT 1", "25P02") })
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            Assert.Equal(state, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Ct))).SqlState);
        }

        await transaction.RollbackAsync(Ct);
        await using var after = new NpgsqlCommand("SELECT 1", connection);
        Assert.Equal(1, await after.ExecuteScalarAsync(Ct));
    }

    [Fact]
    public async Task A_transaction_of_a_connection_that_ends_is_aborted()
    {
        long id;
        await using (var connection = await new NpgsqlDataSourceBuilder($"{_server.ConnectionString};Pooling=false").Build().OpenConnectionAsync(Ct))
        {
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            await using var update = new NpgsqlCommand("UPDATE a SET b = 1", connection, transaction);
            await update.ExecuteNonQueryAsync(Ct);
            await using var question = new NpgsqlCommand("SELECT txid_current_if_assigned()", connection, transaction);
            id = (long)(await question.ExecuteScalarAsync(Ct))!;
            _server.Reset();
        }

        await UntilAsync(async () => (string?)await StatusOfAsync(id) == "aborted", "aborted");
    }

    [Fact]
    public async Task A_standby_refuses_writes_and_open_connections_report_a_changed_role()
    {
        await using var connection = await _dataSource.OpenConnectionAsync(Ct);
        _server.State = _server.State.Standby();
        await using var write = new NpgsqlCommand("INSERT INTO a VALUES (1)", connection);
        Assert.Equal("25006", (await Assert.ThrowsAsync<PostgresException>(() => write.ExecuteNonQueryAsync(Ct))).SqlState);
        Assert.Equal("on", connection.PostgresParameters["in_hot_standby"]);
        _server.State = _server.State.Promoted();
        Assert.Equal(1, await write.ExecuteNonQueryAsync(Ct));
        Assert.Equal("off", connection.PostgresParameters["in_hot_standby"]);
    }

    [Fact]
    public async Task Queries_about_the_server_are_answered_from_its_state_and_recorded_separately()
    {
        _server.State = _server.State with { Timeline = 3, Lsn = 0x2_0100_0000 };
        Assert.Equal("000000030000000200000001", await AskAsync("SELECT pg_walfile_name(pg_current_wal_insert_lsn())"));
        Assert.Equal(0x2_0100_0000L, await AskAsync("SELECT (pg_current_wal_flush_lsn() - '0/0')::int8"));
        Assert.Equal("off", await AskAsync("SHOW default_transaction_read_only"));
        _server.State = _server.State.Standby();
        Assert.True((bool?)await AskAsync("SELECT pg_is_in_recovery()"));
        Assert.Equal("55000", (await Assert.ThrowsAsync<PostgresException>(() => AskAsync("SELECT pg_current_wal_lsn()"))).SqlState);
        Assert.Equal("0A000", (await Assert.ThrowsAsync<PostgresException>(() => AskAsync("SELECT pg_is_in_recovery(), mystery()"))).SqlState);
        Assert.DoesNotContain(_server.Statements, statement => statement.Sql == "SELECT pg_is_in_recovery()");
    }

    [Fact]
    public async Task Types_need_not_be_loaded()
    {
        await using var connection = await _dataSource.OpenConnectionAsync(Ct);
        await connection.ReloadTypesAsync(Ct);
        Assert.Empty(_server.AllStatements);
    }

    [Fact]
    public async Task The_end_of_a_connection_is_noticed()
    {
        await using (await new NpgsqlDataSourceBuilder($"{_server.ConnectionString};Pooling=false").Build().OpenConnectionAsync(Ct)) Assert.Equal(1, _server.OpenConnections);
        await WaitForAsync(() => _server.OpenConnections == 0);
    }

    [Fact]
    public async Task A_wait_that_times_out_names_the_last_statements()
    {
        await AskAsync("SELECT 1");
        var error = await Assert.ThrowsAsync<TimeoutException>(() => _server.WaitForAsync(() => false, TimeSpan.FromMilliseconds(20), Ct));
        Assert.Contains("SELECT 1", error.Message, StringComparison.Ordinal);
    }

    private async Task<object?> StatusOfAsync(long id)
    {
        await using var command = _dataSource.CreateCommand("SELECT txid_status($1)");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = id });
        return await command.ExecuteScalarAsync(Ct);
    }
}
