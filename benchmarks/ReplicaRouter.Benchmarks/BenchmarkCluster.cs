using Dapper;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks;

/// <summary>The benchmark cluster: a primary and three replicas that serve reads, with the tables of the load.</summary>
internal static class BenchmarkCluster
{
    /// <summary>The replica that is made slow, stopped or promoted.</summary>
    public const string Victim = "replica-3";

    public static async Task<LocalCluster> StartAsync(bool isVictimSynchronous, CancellationToken ct)
    {
        var options = new LocalClusterOptions
        {
            Replicas = [new() { Name = "analytics" }, new() { Name = "background" }, new() { Name = Victim, IsSynchronous = isVictimSynchronous }],
        };
        // Above the pools' limits, so that no server refuses connections during a measurement.
        options.Settings["max_connections"] = "400";
        var cluster = await LocalCluster.StartAsync(options, ct);
        try
        {
            await cluster.GrantMonitorAsync();
            await using var connection = new NpgsqlConnection(cluster.Primary.ConnectionString + ";Pooling=false");
            await connection.ExecuteAsync($"{AccountTable.Create} CREATE TABLE token (id uuid);");
            await cluster.WaitForReplicationAsync(ct);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }
}
