using System.Diagnostics;
using Npgsql;
using ReplicaRouter.Benchmarks.Loads;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Overload;

/// <summary>Measures the servers' peak of reads, sends three times as many, and then kills all replicas for 20 s.</summary>
/// <param name="cluster">The cluster.</param>
/// <param name="constantLimit">Fallback reads that the primary serves at once; null lets the router find the limit.</param>
/// <param name="length">Length of the overload.</param>
internal sealed class OverloadRun(LocalCluster cluster, int? constantLimit, TimeSpan length)
{
    /// <summary>Three replicas share the machine's cores: six connections keep two cores busy, and a read waits for at most two others.</summary>
    private const int ReplicaPool = 2;

    /// <summary>The router's default for reads, so that the limit protects the primary, not the pool.</summary>
    private const int PrimaryPool = 30;

    /// <summary>Takes some ms of a core, so that the load saturates the servers and not this process.</summary>
    private const string Read = "SELECT sum(n)::bigint FROM generate_series(1, 20000) n";
    private const string Write = "INSERT INTO token (id) VALUES (gen_random_uuid())";

    private const double UsualLoad = 0.7;
    private const double Times = 3;
    private const double WritesPerSecond = 50;
    private const int Seed = 1;

    private static readonly TimeSpan s_calibration = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_usual = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_loss = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_after = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(5);

    public async Task<OverloadFigures> RunAsync(CancellationToken ct)
    {
        await using var router = NewRouter();
        await router.WaitUntilReadyAsync(ct);
        var peak = await PeakAsync(token => ReadAsync(router, null, token), workers: 4 * ReplicaPool, ct);
        var ofPrimary = await PeakAsync(token => ReadAsync(router, new OperationOptions { Consistency = Consistency.Strong }, token), workers: 2 * Environment.ProcessorCount, ct);
        await using var writes = new OpenLoad(token => WriteAsync(router, token), WritesPerSecond, Seed + 1, ct);
        await using var reads = new OpenLoad(token => ReadAsync(router, null, token), UsualLoad * peak, Seed, ct);
        await Task.Delay(s_warmUp, ct);
        var usual = await PhaseAsync(s_usual, ct);
        reads.Rate = Times * peak;
        var overload = await PhaseAsync(length, ct);
        reads.Rate = UsualLoad * peak;
        var afterOverload = await PhaseAsync(s_after, ct);
        await Task.WhenAll(Replicas.Select(replica => replica.KillAsync(ct)));
        var loss = await PhaseAsync(s_loss, ct);
        await Task.WhenAll(Replicas.Select(replica => replica.StartAsync(ct)));
        var afterLoss = await PhaseAsync(s_after, ct);

        var (p99, writeP99) = (P99(In(reads, usual)), P99(In(writes, usual)));
        var (one, other) = (Recovery(reads, afterOverload, p99), Recovery(reads, afterLoss, p99));
        return new OverloadFigures(
            Goodput(reads, overload) / peak, P99(In(reads, overload)) / p99, Math.Max(one.Seconds, other.Seconds), one.Errors + other.Errors,
            new LossFigures(Goodput(reads, loss) / ofPrimary, P99(In(reads, loss)) / p99, P99(In(writes, loss)) / writeP99));
    }

    private IEnumerable<LocalServer> Replicas => cluster.Servers.Where(server => server != cluster.Primary);

    private ClusterRouter NewRouter()
    {
        var options = cluster.RouterOptions();
        foreach (var server in cluster.Servers)
        {
            var settings = new NpgsqlConnectionStringBuilder(server.ConnectionString) { MaxPoolSize = server == cluster.Primary ? PrimaryPool : ReplicaPool };
            options.Hosts[server.Name].ConnectionString = settings.ConnectionString;
        }

        var configuration = RouterConfigurationBuilder.Build(options);
        return new ClusterRouter(constantLimit is { } constant ? configuration with { LeastPrimaryReads = constant, PrimaryReads = constant } : configuration);
    }

    /// <summary>Returns the highest throughput in operations per second, with enough workers to keep the servers busy.</summary>
    private async Task<double> PeakAsync(Func<CancellationToken, Task<int>> operate, int workers, CancellationToken ct)
    {
        await ClosedLoop.RunAsync(operate, workers, s_warmUp, new Tally(cluster.Servers), ct);
        return await ClosedLoop.RunAsync(operate, workers, s_calibration, new Tally(cluster.Servers), ct);
    }

    private static async Task<(long From, long To)> PhaseAsync(TimeSpan length, CancellationToken ct)
    {
        var from = Stopwatch.GetTimestamp();
        await Task.Delay(length, ct);
        return (from, Stopwatch.GetTimestamp());
    }

    private static List<Arrival> In(OpenLoad load, (long From, long To) phase) => load.Between(phase.From, phase.To);

    private static double Goodput(OpenLoad load, (long From, long To) phase) =>
        In(load, phase).Count(arrival => arrival.IsAnswered) / Stopwatch.GetElapsedTime(phase.From, phase.To).TotalSeconds;

    private static double P99(IEnumerable<Arrival> arrivals) => Percentile(arrivals, 0.99);

    /// <summary>Returns a percentile of the answered operations in ms; 0 if none was answered.</summary>
    private static double Percentile(IEnumerable<Arrival> arrivals, double share)
    {
        double[] sorted = [.. arrivals.Where(arrival => arrival.IsAnswered).Select(arrival => arrival.Milliseconds).Order()];
        return sorted.Length == 0 ? 0 : sorted[(int)Math.Ceiling(share * sorted.Length) - 1];
    }

    /// <summary>Returns the end of the last second that had an error or a p95 above twice the usual p99, and the errors from 5 s on.</summary>
    private static (double Seconds, long Errors) Recovery(OpenLoad load, (long From, long To) phase, double usualP99)
    {
        var seconds = 0;
        for (var from = phase.From; from + Stopwatch.Frequency <= phase.To; from += Stopwatch.Frequency)
        {
            var second = load.Between(from, from + Stopwatch.Frequency);
            if (second.Any(arrival => !arrival.IsAnswered) || Percentile(second, 0.95) > 2 * usualP99) seconds = 1 + (int)((from - phase.From) / Stopwatch.Frequency);
        }

        var errors = load.Between(phase.From + (long)(s_grace.TotalSeconds * Stopwatch.Frequency), phase.To).Count(arrival => !arrival.IsAnswered);
        return (seconds, errors);
    }

    private static Task<int> ReadAsync(ClusterRouter router, OperationOptions? options, CancellationToken ct) => router.ExecuteAsync(DatabaseOperation.Read, (connection, token) => RunAsync(connection, Read, token), options, ct);

    private static Task<int> WriteAsync(ClusterRouter router, CancellationToken ct) => router.ExecuteAsync(DatabaseOperation.Write, (connection, token) => RunAsync(connection, Write, token), ct);

    /// <returns>The server's port.</returns>
    private static async Task<int> RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
        return connection.Port;
    }
}
