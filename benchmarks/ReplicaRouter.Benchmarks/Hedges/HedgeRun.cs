using Npgsql;
using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Benchmarks.Loads;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Hedges;

/// <summary>One replica takes a hundred times as long for one request in a hundred; the router with and without second runs for slow reads.</summary>
internal sealed class HedgeRun(LocalCluster cluster, TimeSpan length, double rate)
{
    private const double SlowShare = 0.01;
    private const int SlowTimes = 100;
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(2);

    // The same statement on all servers and in all variants: only one server ever sleeps in it.
    private const string Read = """
        SELECT abalance, inet_server_port(), CASE WHEN inet_server_port() = $2 AND random() < $3 THEN pg_sleep($4) END FROM account WHERE aid = $1
        """;

    public async Task<HedgeFigures> RunAsync(int rounds, Action<string> say, CancellationToken ct)
    {
        var (healthy, plain, hedged) = (new List<Measured>(), new List<Measured>(), new List<Measured>());
        var sleep = TimeSpan.FromMilliseconds(SlowTimes * (await MeasureAsync(isHedged: false, TimeSpan.Zero, ct)).P50Ms);
        for (var round = 0; round < rounds; round++)
        {
            say($"hedging, round {round + 1}");
            healthy.Add(await MeasureAsync(isHedged: false, TimeSpan.Zero, ct));
            plain.Add(await MeasureAsync(isHedged: false, sleep, ct));
            hedged.Add(await MeasureAsync(isHedged: true, sleep, ct));
        }

        return new()
        {
            SlowMs = sleep.TotalMilliseconds,
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

    private async Task<Measured> MeasureAsync(bool isHedged, TimeSpan sleep, CancellationToken ct)
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
            command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = sleep > TimeSpan.Zero ? SlowShare : 0 });
            command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = sleep.TotalSeconds });
            await using var reader = await command.ExecuteReaderAsync(inner);
            await reader.ReadAsync(inner);
            return reader.GetInt32(1);
        }, outer);
    }

    private sealed record Measured(double P50Ms, double P99Ms, double P999Ms, double ExtraRequests, int Errors);
}
