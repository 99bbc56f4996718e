using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Hedges;

/// <summary>The router with and without second runs for slow reads, and on healthy servers, in turns.</summary>
/// <param name="cluster">The servers.</param>
/// <param name="typical">What half of the reads take at least in the server, beside what a look-up does; zero for look-ups.</param>
/// <param name="length">Of each load: of one read in a thousand few remain in it, so that only the median of many loads says anything.</param>
/// <param name="rate">Arrivals a second.</param>
internal sealed class HedgeRun(LocalCluster cluster, TimeSpan typical, TimeSpan length, double rate)
{
    private const int SlowTimes = 100;
    private const int TurnsPerRound = 3;

    // The rate of learning is the rate of the load: what usual is must be known before anything counts.
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
