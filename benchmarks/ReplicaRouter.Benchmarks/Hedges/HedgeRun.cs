using Npgsql;
using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Benchmarks.Loads;
using ReplicaRouter.Simulation;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Hedges;

/// <summary>One replica takes a hundred times as long for one request in a hundred; the router with and without second runs for slow reads.</summary>
/// <param name="cluster">The servers.</param>
/// <param name="typical">What half of the reads take at least in the server, beside what a look-up does; zero for look-ups.</param>
/// <param name="length">Of each load.</param>
/// <param name="rate">Arrivals a second.</param>
internal sealed class HedgeRun(LocalCluster cluster, TimeSpan typical, TimeSpan length, double rate)
{
    /// <summary>Reads differ: of the natural logarithms of what they take, this is the standard deviation. One in a hundred takes three times the typical time.</summary>
    private const double Spread = 0.5;

    private const double SlowShare = 0.01;
    private const int SlowTimes = 100;
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(2);

    // The same statement on all servers and in all variants. What takes no time does not sleep.
    private const string Read = """
        SELECT abalance, inet_server_port(), CASE WHEN s > 0 THEN pg_sleep(s) END
        FROM (SELECT abalance, CASE WHEN inet_server_port() = $2 AND random() < $3 THEN $4 ELSE $5 END AS s FROM account WHERE aid = $1) AS row
        """;

    public async Task<HedgeFigures> RunAsync(int rounds, Action<string> say, CancellationToken ct)
    {
        var (healthy, plain, hedged) = (new List<Measured>(), new List<Measured>(), new List<Measured>());
        var slow = TimeSpan.FromMilliseconds(SlowTimes * (await MeasureAsync(isHedged: false, TimeSpan.Zero, ct)).P50Ms);
        for (var round = 0; round < rounds; round++)
        {
            say($"hedging, {(typical > TimeSpan.Zero ? "longer reads" : "look-ups")}, round {round + 1}");
            healthy.Add(await MeasureAsync(isHedged: false, TimeSpan.Zero, ct));
            plain.Add(await MeasureAsync(isHedged: false, slow, ct));
            hedged.Add(await MeasureAsync(isHedged: true, slow, ct));
        }

        return new()
        {
            TypicalMs = typical.TotalMilliseconds,
            SlowMs = slow.TotalMilliseconds,
            HealthyP99Ms = Statistics.Median(healthy.Select(round => round.P99Ms)),
            HealthyP999Ms = Statistics.Median(healthy.Select(round => round.P999Ms)),
            PlainP99Ms = Statistics.Median(plain.Select(round => round.P99Ms)),
            PlainP999Ms = Statistics.Median(plain.Select(round => round.P999Ms)),
            HedgedP99Ms = Statistics.Median(hedged.Select(round => round.P99Ms)),
            HedgedP999Ms = Statistics.Median(hedged.Select(round => round.P999Ms)),
            ExtraRequests = Statistics.Median(hedged.Select(round => round.ExtraRequests)),
            Errors = healthy.Concat(plain).Concat(hedged).Sum(round => round.Errors),
        };
    }

    private async Task<Measured> MeasureAsync(bool isHedged, TimeSpan slow, CancellationToken ct)
    {
        var victim = cluster[BenchmarkCluster.Victim];
        long requests = 0;
        await using var arm = new RouterArm(Reach.Directly(cluster), options => options.Routes["read"] = new RouteSettings { Hedge = isHedged });
        // The rate of learning is the rate of the load: what usual is must be known before anything counts.
        await OpenLoop.RunAsync(ReadAsync, rate, s_warmUp, new(cluster.Servers), ct);
        var tally = new Tally(cluster.Servers);
        requests = 0;
        await OpenLoop.RunAsync(ReadAsync, rate, length, tally, ct);
        return new(tally.Percentile(50), tally.Percentile(99), tally.Percentile(99.9), (double)Interlocked.Read(ref requests) / tally.Operations - 1, tally.Errors.Values.Sum());

        Task<int> ReadAsync(CancellationToken outer) => arm.ReadAsync(async (connection, inner) =>
        {
            Interlocked.Increment(ref requests);
            await using var command = new NpgsqlCommand(Read, connection);
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = AccountTable.RandomKey() });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = victim.Port });
            command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = slow > TimeSpan.Zero ? SlowShare : 0 });
            command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = slow.TotalSeconds });
            command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = typical.TotalSeconds * Math.Exp(Spread * Workload.Normal(Random.Shared)) });
            await using var reader = await command.ExecuteReaderAsync(inner);
            await reader.ReadAsync(inner);
            return reader.GetInt32(1);
        }, outer);
    }

    private sealed record Measured(double P50Ms, double P99Ms, double P999Ms, double ExtraRequests, int Errors);
}
