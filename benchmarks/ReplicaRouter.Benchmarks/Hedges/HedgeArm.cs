using Npgsql;
using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Benchmarks.Loads;
using ReplicaRouter.Simulation;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Hedges;

/// <summary>A router that reads from three replicas, one of which is very slow for one request in a hundred.</summary>
/// <param name="cluster">The servers.</param>
/// <param name="typical">Median time of a read in the server, on top of a look-up; zero for look-ups.</param>
/// <param name="slow">Duration of a slow request; zero if no request is slow.</param>
/// <param name="isHedged">Whether slow reads are hedged.</param>
internal sealed class HedgeArm(LocalCluster cluster, TimeSpan typical, TimeSpan slow, bool isHedged) : IAsyncDisposable
{
    /// <summary>The standard deviation of the natural logarithm of a read's duration. One read in a hundred takes three times the median.</summary>
    private const double Spread = 0.5;

    private const double SlowShare = 0.01;

    // The same statement on all servers and in all arms. Does not call pg_sleep for a duration of zero.
    private const string Read = """
        SELECT abalance, inet_server_port(), CASE WHEN s > 0 THEN pg_sleep(s) END
        FROM (SELECT abalance, CASE WHEN inet_server_port() = $2 AND random() < $3 THEN $4 ELSE $5 END AS s FROM account WHERE aid = $1) AS row
        """;

    private readonly RouterArm _router = new(Reach.Directly(cluster), options => options.Routes["read"] = new DatabaseRouteOptions { AllowHedging = isHedged });
    private readonly int _victim = cluster[BenchmarkCluster.Victim].Port;
    private long _requests;

    /// <param name="rate">Arrivals per second.</param>
    /// <param name="length">Time in which they arrive.</param>
    /// <param name="ct">Cancels the load.</param>
    public async Task<HedgeLoad> RunAsync(double rate, TimeSpan length, CancellationToken ct)
    {
        var (before, tally) = (Interlocked.Read(ref _requests), new Tally(cluster.Servers));
        await OpenLoop.RunAsync(outer => _router.ReadAsync(ReadAsync, outer), rate, length, tally, ct);
        var extra = (double)(Interlocked.Read(ref _requests) - before) / tally.Operations - 1;
        return new(tally.Percentile(50), tally.Percentile(99), tally.Percentile(99.9), extra, tally.Errors.Values.Sum());
    }

    public ValueTask DisposeAsync() => _router.DisposeAsync();

    private async Task<int> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        Interlocked.Increment(ref _requests);
        await using var command = new NpgsqlCommand(Read, connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = AccountTable.RandomKey() });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = _victim });
        command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = slow > TimeSpan.Zero ? SlowShare : 0 });
        command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = slow.TotalSeconds });
        command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = typical.TotalSeconds * Math.Exp(Spread * Workload.Normal(Random.Shared)) });
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return reader.GetInt32(1);
    }
}
