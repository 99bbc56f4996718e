using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Hedges;

/// <summary>Measures in turns the router on healthy servers, and with a slow replica without and with hedging.</summary>
/// <param name="cluster">The servers.</param>
/// <param name="typical">Median time of a read in the server, on top of a look-up; zero for look-ups.</param>
/// <param name="length">Length of each load. A load has few reads beyond the p99.9, so that only the median of many loads is meaningful.</param>
/// <param name="rate">Arrivals per second.</param>
internal sealed class HedgeRun(LocalCluster cluster, TimeSpan typical, TimeSpan length, double rate)
{
    private const int SlowTimes = 100;
    private const int TurnsPerRound = 3;

    // The router learns the usual latency from this load, and must know it before the measurement.
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(2);

    public async Task<HedgeFigures> RunAsync(int rounds, Action<string> say, CancellationToken ct)
    {
        var slow = SlowTimes * await TypicalAsync(ct);
        var loads = Enumerable.Range(0, 3).Select(_ => new List<HedgeLoad>()).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            say($"hedging, {(typical > TimeSpan.Zero ? "longer reads" : "look-ups")}, round {round + 1}");
            await using var healthy = NewArm(TimeSpan.Zero, isHedged: false);
            await using var plain = NewArm(slow, isHedged: false);
            await using var hedged = NewArm(slow, isHedged: true);
            HedgeArm[] arms = [healthy, plain, hedged];
            foreach (var arm in arms) await arm.RunAsync(rate, s_warmUp, ct);
            for (var turn = 0; turn < TurnsPerRound; turn++)
            {
                for (var i = 0; i < arms.Length; i++) loads[i].Add(await arms[i].RunAsync(rate, length, ct));
            }
        }

        return new(typical.TotalMilliseconds, slow.TotalMilliseconds, HedgeLoad.Median(loads[0]), HedgeLoad.Median(loads[1]), HedgeLoad.Median(loads[2]));
    }

    private async Task<TimeSpan> TypicalAsync(CancellationToken ct)
    {
        await using var arm = NewArm(TimeSpan.Zero, isHedged: false);
        await arm.RunAsync(rate, s_warmUp, ct);
        return TimeSpan.FromMilliseconds((await arm.RunAsync(rate, length, ct)).P50Ms);
    }

    private HedgeArm NewArm(TimeSpan slow, bool isHedged) => new(cluster, typical, slow, isHedged);
}
