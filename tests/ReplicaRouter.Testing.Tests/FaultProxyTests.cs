using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using static ReplicaRouter.Testing.Tests.Probe;

namespace ReplicaRouter.Testing.Tests;

/// <summary>One server for all network faults, which it never notices.</summary>
public sealed class SingleServer : IAsyncLifetime
{
    public LocalCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [] }, Ct);

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}

public sealed class FaultProxyTests(SingleServer server) : IClassFixture<SingleServer>, IAsyncDisposable
{
    private readonly FaultProxy _proxy = FaultProxy.Start("127.0.0.1", server.Cluster.Primary.Port);

    public ValueTask DisposeAsync() => _proxy.DisposeAsync();

    private string Through => new NpgsqlConnectionStringBuilder(server.Cluster.Primary.ConnectionString) { Port = _proxy.Port }.ConnectionString;

    private Task<int> AskAsync() => Probe.AskAsync<int>(Through, "SELECT 1");

    private async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Through) { Pooling = false, Timeout = 1, CommandTimeout = 1, CancellationTimeout = -1 }.ConnectionString);
        await connection.OpenAsync(Ct);
        return connection;
    }

    private static async Task<int> AskAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("SELECT 1", connection);
        return (int)(await command.ExecuteScalarAsync(Ct))!;
    }

    [Fact]
    public async Task Without_faults_the_proxy_is_transparent()
    {
        Assert.Equal(1, await AskAsync());
        Assert.Equal(1, _proxy.AcceptedConnections);
        await UntilAsync(() => Task.FromResult(_proxy.ActiveConnections == 0), "closed");
    }

    [Fact]
    public async Task Delay_adds_its_latency_each_way_to_open_and_new_connections()
    {
        await using var connection = await OpenAsync();
        await AskAsync(connection);
        _proxy.Delay(TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(10));
        var watch = Stopwatch.StartNew();
        Assert.Equal(1, await AskAsync(connection));
        Assert.True(watch.ElapsedMilliseconds >= 200);
        _proxy.Heal();
        await AskAsync(connection);
    }

    [Fact]
    public async Task Throttle_limits_the_throughput()
    {
        await using var connection = await OpenAsync();
        _proxy.Throttle(10_000);
        await using var command = new NpgsqlCommand("SELECT repeat('x', 5000)", connection) { CommandTimeout = 10 };
        var watch = Stopwatch.StartNew();
        await command.ExecuteScalarAsync(Ct);
        Assert.True(watch.ElapsedMilliseconds >= 300, $"{watch.ElapsedMilliseconds} ms");
    }

    [Fact]
    public async Task Refuse_closes_the_port_and_leaves_open_connections_alone()
    {
        await using var connection = await OpenAsync();
        _proxy.Refuse();
        await Assert.ThrowsAnyAsync<NpgsqlException>(AskAsync);
        Assert.Equal(1, await AskAsync(connection));
        _proxy.Heal();
        Assert.Equal(1, await AskAsync());
    }

    [Fact]
    public async Task Reset_breaks_open_connections_and_allows_new_ones()
    {
        await using var connection = await OpenAsync();
        _proxy.Reset();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => AskAsync(connection));
        Assert.Equal(1, await AskAsync());
    }

    [Fact]
    public async Task A_server_that_dies_while_data_is_sent_to_it_resets_its_client()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var proxy = FaultProxy.Start("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);
        for (var i = 0; i < 200; i++)
        {
            using var client = new TcpClient { NoDelay = true };
            await client.ConnectAsync("127.0.0.1", proxy.Port, Ct);
            using var server = await listener.AcceptSocketAsync(Ct);
            await client.GetStream().WriteAsync(new byte[10], Ct);
            server.Dispose();   // with unread bytes, so that the kernel sends a reset
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            limit.CancelAfter(TimeSpan.FromSeconds(10));
            await Assert.ThrowsAnyAsync<IOException>(async () =>
            {
                await client.GetStream().WriteAsync(new byte[10], limit.Token);
                await client.GetStream().ReadExactlyAsync(new byte[1], limit.Token);
            });
        }
    }

    [Fact]
    public async Task Silence_accepts_connections_and_answers_nothing()
    {
        await using var connection = await OpenAsync();
        _proxy.Silence();
        await Assert.ThrowsAnyAsync<Exception>(() => AskAsync(connection));
        var accepted = _proxy.AcceptedConnections;
        await Assert.ThrowsAnyAsync<Exception>(AskAsync);
        Assert.True(_proxy.AcceptedConnections > accepted);
        _proxy.Heal();
        Assert.Equal(1, await AskAsync());
    }

    [Theory]
    [InlineData(FaultDirection.ToServer)]
    [InlineData(FaultDirection.ToClient)]
    public async Task A_single_direction_can_be_lost(FaultDirection direction)
    {
        await using var connection = await OpenAsync();
        _proxy.Drop(direction);
        await Assert.ThrowsAnyAsync<Exception>(() => AskAsync(connection));
    }

    [Fact]
    public async Task CutAfter_resets_after_that_many_bytes()
    {
        await using var connection = await OpenAsync();
        _proxy.CutAfter(1000, FaultDirection.ToClient);
        Assert.Equal(1, await AskAsync(connection));
        await using var command = new NpgsqlCommand("SELECT repeat('x', 5000)", connection);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => command.ExecuteScalarAsync(Ct));
    }
}
