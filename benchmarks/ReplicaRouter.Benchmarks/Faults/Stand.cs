using Dapper;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>A fresh cluster with the tables of the load; one of its replicas is the victim, or the successor of the primary.</summary>
internal sealed class Stand : IAsyncDisposable
{
    public const int Accounts = 10_000;
    private const string VictimName = "replica-3";
    private readonly FaultProxy? _proxy;

    private Stand(LocalCluster cluster, FaultProxy? proxy) => (Cluster, _proxy) = (cluster, proxy);

    public LocalCluster Cluster { get; }

    public LocalServer Victim => Cluster[VictimName];

    public FaultProxy Proxy => _proxy ?? throw new InvalidOperationException("The scenario asked for no proxy.");

    public static async Task<Stand> StartAsync(Scenario scenario, CancellationToken ct)
    {
        var options = new LocalClusterOptions
        {
            Replicas =
            [
                new() { Name = "analytics" }, new() { Name = "background" },
                new() { Name = VictimName, Synchronous = scenario.NeedsSynchronousVictim },
            ],
        };
        // More than a pool's own limit, so that no arm is measured by servers that refuse connections.
        options.Settings["max_connections"] = "400";
        var cluster = await LocalCluster.StartAsync(options, ct);
        try
        {
            await cluster.GrantMonitorAsync();
            await using var connection = new NpgsqlConnection(cluster.Primary.ConnectionString + ";Pooling=false");
            await connection.ExecuteAsync($"""
                CREATE TABLE account (aid int PRIMARY KEY, abalance int NOT NULL);
                INSERT INTO account SELECT aid, 0 FROM generate_series(1, {Accounts}) aid;
                CREATE TABLE token (id uuid);
                """);
            await cluster.WaitForReplicationAsync(ct);
            return new(cluster, scenario.NeedsProxy ? FaultProxy.Start("127.0.0.1", cluster[VictimName].Port) : null);
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Where an arm is to reach the server.</summary>
    public int PortOf(LocalServer server) => server.Name == VictimName && _proxy is not null ? _proxy.Port : server.Port;

    public async ValueTask DisposeAsync()
    {
        if (_proxy is not null) await _proxy.DisposeAsync();
        await Cluster.DisposeAsync();
    }
}
