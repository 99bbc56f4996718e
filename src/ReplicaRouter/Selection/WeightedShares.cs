using System.Numerics;

namespace ReplicaRouter.Selection;

/// <summary>Chooses among hosts of different weights: each gets as much as its weight says, unless it has fallen behind.</summary>
/// <remarks>
/// By chance alone, which holds shares however few requests there are at once. With a few under way, work in progress can't tell one weight from another: its counts are whole
/// numbers. A host that has twice as much under way as the others have for their weights, and more than chance explains, has fallen behind: then the one with the least for its weight serves.
/// </remarks>
internal static class WeightedShares
{
    /// <summary>Work under way beyond what weights say that is still chance.</summary>
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
        // By multiplying across, rather than dividing.
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
