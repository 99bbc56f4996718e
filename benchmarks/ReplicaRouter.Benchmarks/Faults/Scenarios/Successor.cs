using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Faults.Scenarios;

/// <summary>Promotes a server and observes when this takes effect.</summary>
internal static class Successor
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(1);

    /// <returns>When the server began to accept writes, which is before the other standbys follow it.</returns>
    public static async Task<long> PromoteAsync(LocalCluster cluster, LocalServer successor, CancellationToken ct)
    {
        var writable = AwaitWritableAsync(successor, ct);
        await cluster.PromoteAsync(successor.Name, cancellationToken: ct);
        return await writable;
    }

    private static async Task<long> AwaitWritableAsync(LocalServer server, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(server.SuperuserConnectionString);
        while (await connection.ExecuteScalarAsync<bool>(new CommandDefinition("SELECT pg_is_in_recovery()", cancellationToken: ct)))
        {
            await Task.Delay(s_look, ct);
        }

        return Timeline.Now;
    }
}
