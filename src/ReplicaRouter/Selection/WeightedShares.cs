using System.Numerics;

namespace ReplicaRouter.Selection;

/// <summary>Picks among hosts of different weights. Each gets the share of its weight, unless it has fallen behind.</summary>
/// <remarks>
/// Picks at random, which keeps the shares however few requests there are at once. Work in progress can't: with few requests, its counts are too small to reflect weights.
/// A host that has, for its weight, twice as much in progress as the others, and more than chance explains, has fallen behind. Then the host with the least for its weight serves.
/// </remarks>
internal static class WeightedShares
{
    /// <summary>Work in progress beyond a host's share that can still be due to chance.</summary>
    private const int Chance = 8;

    public static int Pick(TopologySnapshot topology, ulong candidates, ReadOnlySpan<HostLoad> loads, Random random)
    {
        var (weights, inFlight) = (0, 0);
        for (var rest = candidates; rest != 0; rest &= rest - 1)
        {
            var host = BitOperations.TrailingZeroCount(rest);
            weights += WeightOf(topology, host);
            inFlight += loads[host].InFlight;
        }

        var drawn = Draw(topology, candidates, random.Next(weights));
        var (its, weight) = (loads[drawn].InFlight, WeightOf(topology, drawn));
        // Compares quotients by cross-multiplication.
        var isBehind = (its - Chance) * (long)(weights - weight) > 2L * (inFlight - its) * weight;
        return isBehind ? Least(topology, candidates, loads) : drawn;
    }

    private static int Draw(TopologySnapshot topology, ulong hosts, int drawn)
    {
        while (true)
        {
            var host = BitOperations.TrailingZeroCount(hosts);
            drawn -= WeightOf(topology, host);
            if (drawn < 0) return host;
            hosts &= hosts - 1;
        }
    }

    private static int Least(TopologySnapshot topology, ulong hosts, ReadOnlySpan<HostLoad> loads)
    {
        var least = BitOperations.TrailingZeroCount(hosts);
        for (var rest = hosts & (hosts - 1); rest != 0; rest &= rest - 1)
        {
            var host = BitOperations.TrailingZeroCount(rest);
            if (loads[host].InFlight * (long)WeightOf(topology, least) < loads[least].InFlight * (long)WeightOf(topology, host)) least = host;
        }

        return least;
    }

    private static int WeightOf(TopologySnapshot topology, int host) => topology.At(host)!.Configuration.Weight;
}
