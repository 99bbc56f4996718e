using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Sessions;

/// <summary>Counts the connections that a thousand session reads use on a standby while they wait for its position.</summary>
internal static class WaitingReads
{
    private const int Readers = 1000;
    private const string Probes = "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'ReplicaRouter probe'";

    private static readonly TimeSpan s_lag = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    /// <returns>Probe connections to a standby while the reads waited: the median of all looks. A look can coincide with the test login that each host gets every few seconds.</returns>
    public static async Task<int> MeasureAsync(LocalCluster cluster, CancellationToken ct)
    {
        var options = cluster.RouterOptions();
        options.Routes["read"] = new DatabaseRouteOptions { CatchUpWait = TimeSpan.FromSeconds(10) };
        await using var router = DatabaseRouter.Create(options);
        await router.WaitUntilReadyAsync(ct);
        var standbys = cluster.Servers.Where(server => server != cluster.Primary).ToList();
        foreach (var standby in standbys) await standby.SetApplyDelayAsync(s_lag, ct);
        using var session = router.BeginSession();
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, token) => AskAsync(connection, "CREATE TABLE waited ()", token), ct);
        var reads = Task.WhenAll(Enumerable.Range(0, Readers).Select(_ => router.ExecuteAsync(DatabaseOperation.Read, (connection, token) => AskAsync(connection, "SELECT 1", token), ct)));
        var looks = new List<double>();
        while (!reads.IsCompleted)
        {
            foreach (var standby in standbys) looks.Add(await standby.QueryAsync<int>(Probes, ct));
            await Task.WhenAny(reads, Task.Delay(s_look, ct));
        }

        await reads;
        foreach (var standby in standbys) await standby.SetApplyDelayAsync(TimeSpan.Zero, ct);
        return (int)Statistics.Median(looks);
    }

    private static async Task AskAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
