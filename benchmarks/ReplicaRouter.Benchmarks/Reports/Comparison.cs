using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Benchmarks.Hedges;
using ReplicaRouter.Benchmarks.Memory;
using ReplicaRouter.Benchmarks.Micro;
using ReplicaRouter.Benchmarks.Peers;
using ReplicaRouter.Benchmarks.Slowness;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>Runs the selected scenarios one after another: on few cores nothing else must run during a measurement.</summary>
internal sealed class Comparison(ComparisonOptions options, Action<string> say)
{
    private const int MemoryOperations = 1_000_000;

    /// <summary>Look-ups, whose tail on few cores comes from the machine, and reads that are long enough for a tail from the servers.</summary>
    private static readonly IReadOnlyList<TimeSpan> s_hedgedReads = [TimeSpan.Zero, TimeSpan.FromMilliseconds(3)];

    public async Task<Results> RunAsync(CancellationToken ct)
    {
        Results results;
        await using (var cluster = await BenchmarkCluster.StartAsync(isVictimSynchronous: false, ct))
        {
            results = new() { Machine = await Machine.DescribeAsync(cluster, ct), Rate = options.Rate };
            if (options.Wants(ComparisonOptions.Steady))
            {
                var plan = new SteadyPlan(options.Rounds, options.Length, options.Rate, options.NetworkDelay, options.Rest);
                results.Steady = await SteadyComparison.RunAsync(cluster, [.. Peer.All.Where(peer => options.WantsArm(peer.Name))], plan, say, ct);
            }

            foreach (var scenario in SlowScenario.All.Where(scenario => options.Wants(scenario.Name))) await TryRunAsync(cluster, scenario, results, ct);
            if (options.Wants(ComparisonOptions.Hedging))
            {
                foreach (var typical in s_hedgedReads) results.Hedging.Add(await new HedgeRun(cluster, typical, options.Length, options.Rate).RunAsync(options.SlowRounds, say, ct));
            }

            if (options.Wants(ComparisonOptions.Memory)) results.Memory = await new MemoryRun(cluster, MemoryOperations).RunAsync();
        }

        if (options.Wants(ComparisonOptions.Micro)) results.Micro = await MicroProcesses.MeasureAsync(say, ct);
        return results;
    }

    private async Task TryRunAsync(LocalCluster cluster, SlowScenario scenario, Results results, CancellationToken ct)
    {
        try
        {
            var plan = new SlowPlan(options.SlowRounds, options.Length, options.Rate, options.AddedLatency);
            results.Slow[scenario] = await new SlowComparison(cluster, scenario, plan).RunAsync([.. Peer.Balancing.Where(peer => options.WantsArm(peer.Name))], say, ct);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            say($"{scenario.Name}: skipped, because this machine permits no control group to starve a server of CPU ({e.Message})");
        }
    }
}
