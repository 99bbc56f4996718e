using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Benchmarks.Slowness;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Peers;

/// <summary>All peers in turns, round by round.</summary>
internal static class SteadyComparison
{
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(0.5);

    public static async Task<IReadOnlyDictionary<string, SteadyFigures>> RunAsync(
        LocalCluster cluster, IReadOnlyList<Peer> peers, SteadyPlan plan, Action<string> say, CancellationToken ct)
    {
        await using var network = plan.NetworkDelay > TimeSpan.Zero ? new AddedLatency(cluster, plan.NetworkDelay) : null;
        network?.Begin(cluster.Servers);
        var reach = (network?.Reach ?? Reach.Directly(cluster)) with { PoolSize = SteadyRun.PoolSize };
        var run = new SteadyRun(cluster, reach, plan);
        // Compilation in the background takes its time on few cores, and must not fall on whoever is first.
        say("steady, warm-up");
        foreach (var peer in peers) await new SteadyRun(cluster, reach, plan with { Length = s_warmUp, Rest = TimeSpan.Zero }).MeasureAsync(peer, ct);
        var rounds = peers.ToDictionary(peer => peer.Name, _ => new List<SteadySlice>());
        for (var round = 0; round < plan.Rounds; round++)
        {
            foreach (var peer in round % 2 == 0 ? peers : peers.Reverse())
            {
                say($"steady, round {round + 1}: {peer.Name}");
                rounds[peer.Name].Add(await run.MeasureAsync(peer, ct));
            }
        }

        IReadOnlyList<SteadySlice> baseline = rounds.GetValueOrDefault(Peer.Baseline) ?? [];
        return rounds.ToDictionary(peer => peer.Key, peer => SteadyFigures.Of(peer.Value, baseline));
    }
}

/// <summary>How long and how much.</summary>
/// <param name="Rounds">Turns of each peer.</param>
/// <param name="Length">Of each load; the one with one worker takes half of it.</param>
/// <param name="Rate">Arrivals a second.</param>
/// <param name="NetworkDelay">What the network adds to each round trip.</param>
/// <param name="Rest">Time of usual load between the peak and what is measured after it.</param>
internal sealed record SteadyPlan(int Rounds, TimeSpan Length, double Rate, TimeSpan NetworkDelay, TimeSpan Rest);
