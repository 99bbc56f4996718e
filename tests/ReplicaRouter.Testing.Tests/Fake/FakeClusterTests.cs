using Npgsql;
using static ReplicaRouter.Testing.Tests.Probe;

namespace ReplicaRouter.Testing.Tests.Fake;

/// <summary>A router works with three fake servers as with a cluster.</summary>
public sealed class FakeClusterTests : IAsyncLifetime
{
    private readonly FakeServer _primary = FakeServer.Start();
    private readonly FakeServer _two;
    private readonly FakeServer _three;
    private readonly DatabaseRouter _router;

    public FakeClusterTests()
    {
        (_two, _three) = (FakeServer.Start(_primary.State.Standby()), FakeServer.Start(_primary.State.Standby()));
        foreach (var server in Servers) server.On("SELECT who", FakeAnswer.Row(server.Port));
        var options = new DatabaseRouterOptions();
        options.Health.Interval = TimeSpan.FromMilliseconds(50);
        foreach (var (name, server) in new[] { ("primary", _primary), ("two", _two), ("three", _three) }) options.Hosts[name] = new DatabaseHostOptions { ConnectionString = server.ConnectionString };
        _router = DatabaseRouter.Create(options);
    }

    private FakeServer[] Servers => [_primary, _two, _three];

    public async ValueTask InitializeAsync()
    {
        await _router.WaitUntilReadyAsync(Ct).WaitAsync(TimeSpan.FromSeconds(20), Ct);
        await WaitForRolesAsync(HostRole.Primary, HostRole.Replica, HostRole.Replica);
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        foreach (var server in Servers) await server.DisposeAsync();
    }

    private static Task WaitForAsync(Func<bool> condition, FakeServer server) => server.WaitForAsync(condition, TimeSpan.FromSeconds(20), Ct);

    private Task WaitForRolesAsync(HostRole primary, HostRole two, HostRole three) => WaitForAsync(
        () => _router.GetHealthStatus() is var hosts && (hosts["primary"].Role, hosts["two"].Role, hosts["three"].Role) == (primary, two, three), _primary);

    private Task<int> WhoAsync(DatabaseOperation operation) => _router.ExecuteAsync(operation, async (connection, ct) =>
    {
        await using var command = new NpgsqlCommand("SELECT who", connection);
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }, Ct);

    private Task OrderAsync() => _router.WithTransactionAsync(async (transaction, ct) =>
    {
        await using var command = new NpgsqlCommand("INSERT INTO orders VALUES (1)", transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(ct);
    }, Ct);

    private static int Orders(FakeServer server) => server.Statements.Count(statement => statement.Sql.StartsWith("INSERT", StringComparison.Ordinal));

    [Fact]
    public async Task Writes_go_to_the_primary_and_reads_to_standbys()
    {
        await WaitForAsync(() => _router.GetHealthStatus().Values.All(host => host.IsHealthy), _primary);
        Assert.Equal(_primary.Port, await WhoAsync(DatabaseOperation.Write));
        for (var i = 0; i < 10; i++) Assert.Contains(await WhoAsync(DatabaseOperation.Read), new[] { _two.Port, _three.Port });
        Assert.Single(_primary.Statements);
    }

    [Fact]
    public async Task A_transaction_runs_on_the_primary()
    {
        await OrderAsync();
        Assert.Equal(["BEGIN", "INSERT", "COMMIT"], _primary.Statements.Select(statement => statement.Sql.Split(' ')[0]));
    }

    [Fact]
    public async Task Work_gets_its_state_at_each_attempt()
    {
        await using var command = new NpgsqlCommand("SELECT who");
        Assert.Equal(_primary.Port, await _router.ExecuteAsync(DatabaseOperation.Write, WhoAsync, command, cancellationToken: Ct));
        Assert.Equal(_primary.Port, await Task.Run(() => _router.Execute(DatabaseOperation.Write, static (connection, state) => Who(connection, state), command), Ct));

        List<int> ports = [];
        await _router.ExecuteAsync(DatabaseOperation.Write, static (connection, state, _) =>
        {
            state.Add(connection.Port);
            return Task.CompletedTask;
        }, ports, cancellationToken: Ct);
        await _router.WithTransactionAsync(static (transaction, state, _) =>
        {
            state.Add(transaction.Connection!.Port);
            return Task.CompletedTask;
        }, ports, cancellationToken: Ct);
        Assert.Equal(2, await _router.WithTransactionAsync(static (_, state, _) => Task.FromResult(state.Count), ports, cancellationToken: Ct));
        Assert.Equal([_primary.Port, _primary.Port], ports);
    }

    private static async Task<int> WhoAsync(NpgsqlConnection connection, NpgsqlCommand command, CancellationToken ct)
    {
        command.Connection = connection;
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    private static int Who(NpgsqlConnection connection, NpgsqlCommand command)
    {
        command.Connection = connection;
        return (int)command.ExecuteScalar()!;
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_found_to_be_committed()
    {
        var lost = 0;
        _primary.On("COMMIT", _ => Interlocked.Increment(ref lost) == 1 ? FakeAnswer.Tag("COMMIT").Then(FakeFault.Close) : null);
        var error = await Assert.ThrowsAsync<TransactionOutcomeUnknownException>(OrderAsync);
        Assert.Equal(TransactionOutcome.Committed, await error.ResolveAsync(Ct));
        Assert.Equal(1, Orders(_primary));
        Assert.Contains(_primary.AllStatements, statement => statement.Sql == "SELECT txid_status($1)");
    }

    [Fact]
    public async Task The_router_follows_a_failover()
    {
        await OrderAsync();
        _primary.Kill();
        _two.State = _two.State.Promoted();
        _primary.State = _three.State = _two.State.Standby();
        _primary.Restart();
        await WaitForRolesAsync(HostRole.Replica, HostRole.Primary, HostRole.Replica);
        await OrderAsync();
        Assert.Equal((1, 1), (Orders(_primary), Orders(_two)));
    }

    [Fact]
    public async Task Reads_go_on_while_a_standby_is_dead()
    {
        await WhoAsync(DatabaseOperation.Read);
        _two.Kill();
        for (var i = 0; i < 20; i++) Assert.NotEqual(_two.Port, await WhoAsync(DatabaseOperation.Read));
        await WaitForAsync(() => _router.GetHealthStatus()["two"].State == HostState.Down, _primary);
    }

    [Fact]
    public async Task A_standby_that_falls_behind_shows_its_lag()
    {
        _primary.State = _primary.State with { Lsn = _primary.State.Lsn + 0x100_0000 };
        _three.State = _three.State with { Lsn = _primary.State.Lsn };
        await WaitForAsync(() => _router.GetHealthStatus()["two"].LagBytes > 0, _primary);
        Assert.Equal(HostRole.Replica, _router.GetHealthStatus()["two"].Role);
    }
}
