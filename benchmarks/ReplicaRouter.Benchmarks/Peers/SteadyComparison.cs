using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Benchmarks.Slowness;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Peers;

/// <summary>Measures all peers in turns, round by round.</summary>
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
        // Background compilation is slow on few cores, and must not disturb the first peer.
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

/// <summary>The extent of a measurement.</summary>
/// <param name="Rounds">Turns of each peer.</param>
/// <param name="Length">Length of each load; half of it for one worker and for fresh pools.</param>
/// <param name="Rate">Arrivals per second.</param>
/// <param name="NetworkDelay">Network latency added to each round trip.</param>
/// <param name="Rest">Time of normal load between the peak and the measurement after it.</param>
internal sealed record SteadyPlan(int Rounds, TimeSpan Length, double Rate, TimeSpan NetworkDelay, TimeSpan Rest);
