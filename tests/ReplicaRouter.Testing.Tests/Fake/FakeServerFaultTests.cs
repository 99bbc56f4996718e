using System.Data;
using System.Net.Sockets;
using Npgsql;
using static ReplicaRouter.Testing.Tests.Probe;

namespace ReplicaRouter.Testing.Tests.Fake;

/// <summary>Faults happen as a test has scripted them, and no others do.</summary>
public sealed class FakeServerFaultTests : IAsyncDisposable
{
    private readonly FakeServer _server = FakeServer.Start();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task WaitForAsync(Func<bool> condition) => _server.WaitForAsync(condition, TimeSpan.FromSeconds(20), Ct);

    private Task<int> AskAsync() => Probe.AskAsync<int>(_server.ConnectionString, "SELECT 1");

    private async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection($"{_server.ConnectionString};Pooling=false;Cancellation Timeout=500");
        await connection.OpenAsync(Ct);
        return connection;
    }

    private static async Task<object?> RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 20 };
        return await command.ExecuteScalarAsync(ct);
    }

    [Theory]
    [InlineData("53300")]
    [InlineData("57P03")]
    [InlineData("28P01")]
    [InlineData("3D000")]
    public async Task A_login_is_refused_with_any_code(string sqlState)
    {
        _server.LoginAnswer = FakeAnswer.Fatal(sqlState);
        Assert.Equal(sqlState, (await Assert.ThrowsAsync<PostgresException>(AskAsync)).SqlState);
        Assert.Equal((0, 1), (_server.Logins, _server.LoginAttempts));
        _server.LoginAnswer = null;
        Assert.Equal(1, await AskAsync());
    }

    [Theory]
    [InlineData(FakeFault.Close)]
    [InlineData(FakeFault.Reset)]
    [InlineData(FakeFault.Silence)]
    public async Task A_login_fails_without_an_error(FakeFault fault)
    {
        _server.LoginAnswer = FakeAnswer.Fail(fault);
        Assert.IsNotType<PostgresException>(await Assert.ThrowsAnyAsync<Exception>(AskAsync));
        Assert.Equal(0, _server.Logins);
    }

    [Fact]
    public async Task A_login_is_accepted_late()
    {
        _server.LoginAnswer = FakeAnswer.Tag("").After(TimeSpan.FromMilliseconds(50));
        var start = TimeProvider.System.GetTimestamp();
        Assert.Equal(1, await AskAsync());
        Assert.True(TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromMilliseconds(40));
    }

    [Fact]
    public async Task The_port_is_closed_and_opened_again_and_open_connections_go_on()
    {
        await using var connection = await OpenAsync();
        _server.Refuse();
        var error = await Assert.ThrowsAnyAsync<NpgsqlException>(AskAsync);
        Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
        Assert.Equal(1, await RunAsync(connection, "SELECT 1", Ct));
        _server.Listen();
        Assert.Equal(1, await AskAsync());
    }

    [Fact]
    public async Task A_fatal_error_ends_the_connection()
    {
        _server.On("SELECT a", FakeAnswer.Fatal("57P01"));
        await using var connection = await OpenAsync();
        var error = await Assert.ThrowsAsync<PostgresException>(() => RunAsync(connection, "SELECT a", Ct));
        Assert.Equal(("57P01", "FATAL"), (error.SqlState, error.Severity));
        Assert.NotEqual(ConnectionState.Open, connection.State);
        await WaitForAsync(() => _server.OpenConnections == 0);
    }

    [Theory]
    [InlineData(FakeFault.Close)]
    [InlineData(FakeFault.Reset)]
    public async Task A_statement_gets_no_answer_and_the_connection_ends(FakeFault fault)
    {
        _server.On("SELECT a", FakeAnswer.Fail(fault));
        await using var connection = await OpenAsync();
        Assert.IsNotType<PostgresException>(await Assert.ThrowsAnyAsync<NpgsqlException>(() => RunAsync(connection, "SELECT a", Ct)));
        Assert.NotEqual(ConnectionState.Open, connection.State);
    }

    [Fact]
    public async Task A_connection_ends_between_two_rows()
    {
        _server.On("SELECT a", FakeAnswer.Row(7).Then(FakeFault.Close));
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand("SELECT a", connection);
        await using var reader = await command.ExecuteReaderAsync(Ct);
        Assert.True(await reader.ReadAsync(Ct));
        Assert.Equal(7, reader.GetInt32(0));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => reader.ReadAsync(Ct));
    }

    [Theory]
    [InlineData(false, "aborted")]
    [InlineData(true, "committed")]
    public async Task A_commit_is_lost_before_or_after_it_was_executed(bool isCarriedOut, string status)
    {
        _server.On("COMMIT", isCarriedOut ? FakeAnswer.Tag("COMMIT").Then(FakeFault.Close) : FakeAnswer.Fail(FakeFault.Close));
        await using var connection = await OpenAsync();
        var transaction = await connection.BeginTransactionAsync(Ct);
        await RunAsync(connection, "UPDATE a SET b = 1", Ct);
        var id = (long)(await RunAsync(connection, "SELECT txid_current_if_assigned()", Ct))!;
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => transaction.CommitAsync(Ct));

        await WaitForAsync(() => _server.OpenConnections == 0);
        await using var other = await OpenAsync();
        await using var question = new NpgsqlCommand("SELECT txid_status($1)", other) { Parameters = { new NpgsqlParameter<long> { TypedValue = id } } };
        Assert.Equal(status, await question.ExecuteScalarAsync(Ct));
    }

    /// <summary>Cancels a statement once it has reached the server.</summary>
    private async Task<OperationCanceledException> CancelledAsync(NpgsqlConnection connection, string sql)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var running = RunAsync(connection, sql, cancel.Token);
        await WaitForAsync(() => _server.Statements.Count == 1);
        await cancel.CancelAsync();
        return await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_statement_that_hangs_is_cancelled_and_the_connection_goes_on()
    {
        _server.On("SELECT a", FakeAnswer.Fail(FakeFault.Hang));
        await using var connection = await OpenAsync();
        var error = await CancelledAsync(connection, "SELECT a");
        Assert.Equal("57014", Assert.IsType<PostgresException>(error.InnerException).SqlState);
        Assert.Equal(1, await RunAsync(connection, "SELECT 1", Ct));
        Assert.Equal(1, _server.Logins);
    }

    [Fact]
    public async Task A_silent_statement_cannot_be_cancelled()
    {
        _server.On("SELECT a", FakeAnswer.Fail(FakeFault.Silence));
        await using var connection = await OpenAsync();
        var error = await CancelledAsync(connection, "SELECT a");
        Assert.IsNotType<PostgresException>(error.InnerException);
        Assert.NotEqual(ConnectionState.Open, connection.State);
    }

    [Fact]
    public async Task An_answer_comes_late()
    {
        _server.On("SELECT a", FakeAnswer.Row(7).After(TimeSpan.FromMilliseconds(50)));
        await using var connection = await OpenAsync();
        var start = TimeProvider.System.GetTimestamp();
        Assert.Equal(7, await RunAsync(connection, "SELECT a", Ct));
        Assert.True(TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromMilliseconds(40));
    }

    [Fact]
    public async Task A_script_that_throws_is_an_error_of_the_statement()
    {
        _server.On("SELECT a", _ => throw new InvalidOperationException("a mistake in the test"));
        await using var connection = await OpenAsync();
        var error = await Assert.ThrowsAsync<PostgresException>(() => RunAsync(connection, "SELECT a", Ct));
        Assert.Contains("a mistake in the test", error.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_are_terminated_while_they_are_idle_and_while_they_work()
    {
        _server.On("SELECT a", FakeAnswer.Fail(FakeFault.Hang));
        await using var idle = await OpenAsync();
        await using var busy = await OpenAsync();
        var running = RunAsync(busy, "SELECT a", Ct);
        await WaitForAsync(() => _server.Statements.Count == 1);
        _server.Terminate();
        Assert.Equal("57P01", (await Assert.ThrowsAsync<PostgresException>(() => running)).SqlState);
        await WaitForAsync(() => _server.OpenConnections == 0);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => RunAsync(idle, "SELECT 1", Ct));
    }

    [Fact]
    public async Task A_server_that_was_killed_comes_back_with_another_start_time()
    {
        await using var connection = await OpenAsync();
        var before = _server.State.StartedAt;
        _server.Kill();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => RunAsync(connection, "SELECT 1", Ct));
        await Assert.ThrowsAnyAsync<NpgsqlException>(AskAsync);
        _server.Restart();
        Assert.Equal(1, await AskAsync());
        Assert.True(_server.State.StartedAt > before);
    }

    [Fact]
    public async Task Disposing_the_server_ends_hanging_connections()
    {
        var server = FakeServer.Start();
        server.On("SELECT a", FakeAnswer.Fail(FakeFault.Silence));
        var running = Probe.AskAsync<int>(server.ConnectionString, "SELECT a");
        await server.WaitForAsync(() => server.Statements.Count == 1, TimeSpan.FromSeconds(20), Ct);
        await server.DisposeAsync();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => running);
        Assert.Equal(0, server.OpenConnections);
    }
}
