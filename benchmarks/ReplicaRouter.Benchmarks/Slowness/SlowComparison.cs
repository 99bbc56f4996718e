using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Benchmarks.Loads;
using ReplicaRouter.Benchmarks.Peers;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>Measures one scenario with all arms, round by round.</summary>
internal sealed class SlowComparison(LocalCluster cluster, SlowScenario scenario, SlowPlan plan)
{
    /// <summary>Latency to add for "10 times slower", in multiples of a healthy operation.</summary>
    private const int AddedTimes = 9;

    // The proxies' timers have a resolution of 1 ms.
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan s_sample = TimeSpan.FromSeconds(1);

    public async Task<SlowResults> RunAsync(IReadOnlyList<Peer> arms, Action<string> say, CancellationToken ct)
    {
        var victims = scenario.VictimsOf(cluster);
        var added = plan.AddedLatency ?? await TenfoldAsync(victims[0], ct);
        await using var impediment = scenario.Create(cluster, added);
        var healthy = await MedianOfAsync(victims[0], impediment.Reach, ct);
        impediment.Begin(victims);
        var slow = await MedianOfAsync(victims[0], impediment.Reach, ct);
        impediment.End();

        var run = new SlowRun(cluster, impediment, victims, plan.Length, plan.Rate);
        var rounds = arms.ToDictionary(arm => arm.Name, _ => new List<SlowFigures>());
        for (var round = 0; round < plan.Rounds; round++)
        {
            foreach (var arm in round % 2 == 0 ? arms : arms.Reverse())
            {
                say($"{scenario.Name}, round {round + 1}: {arm.Name}");
                rounds[arm.Name].Add(await run.MeasureAsync(arm, ct));
            }
        }

        return new(healthy, slow, rounds.ToDictionary(arm => arm.Key, arm => SlowFigures.Median(arm.Value)));
    }

    private async Task<TimeSpan> TenfoldAsync(LocalServer server, CancellationToken ct)
    {
        await using var none = new AddedLatency(cluster, TimeSpan.Zero);
        // Warm-up: compilation would count ninefold.
        await MedianOfAsync(server, none.Reach, ct);
        var added = TimeSpan.FromMilliseconds(AddedTimes * await MedianOfAsync(server, none.Reach, ct));
        return added > s_least ? added : s_least;
    }

    private async Task<double> MedianOfAsync(LocalServer server, Reach reach, CancellationToken ct)
    {
        await using var arm = new SingleHostArm(reach.To(server));
        var (warmUp, tally) = (new Tally(cluster.Servers), new Tally(cluster.Servers));
        foreach (var each in (Tally[])[warmUp, tally]) await ClosedLoop.RunAsync(inner => arm.ReadAsync(AccountTable.ReadAsync, inner), workers: 1, s_sample, each, ct);
        return tally.Percentile(50);
    }
}

/// <summary>The extent of a measurement.</summary>
/// <param name="Rounds">Turns of each arm.</param>
/// <param name="Length">Length of each load.</param>
/// <param name="Rate">Arrivals per second.</param>
/// <param name="AddedLatency">Latency added to each round trip to a slow host; null makes it ten times as long.</param>
internal sealed record SlowPlan(int Rounds, TimeSpan Length, double Rate, TimeSpan? AddedLatency);
