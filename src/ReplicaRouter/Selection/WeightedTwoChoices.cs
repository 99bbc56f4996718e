using System.Numerics;

namespace ReplicaRouter;

/// <summary>Two random choices among hosts of different weights: each is as likely as its weight, and the better one has less work for its weight.</summary>
internal static class WeightedTwoChoices
{
    public static int Pick(TopologySnapshot topology, ulong candidates, ReadOnlySpan<HostLoad> loads, Random random)
    {
        var first = Draw(topology, candidates, random);
        var others = candidates & ~(1UL << first);
        if (others == 0) return first;
        var second = Draw(topology, others, random);
        // By multiplying across, rather than dividing.
        var isFirstLess = loads[first].InFlight * (long)WeightOf(topology, second) <= loads[second].InFlight * (long)WeightOf(topology, first);
        // One whose last command failed has little in progress as it fails at once: that is no advantage over what was drawn by weight.
        return isFirstLess || loads[second].HasFailed ? first : second;
    }

    private static int Draw(TopologySnapshot topology, ulong hosts, Random random)
    {
        var total = 0;
        for (var rest = hosts; rest != 0; rest &= rest - 1) total += WeightOf(topology, BitOperations.TrailingZeroCount(rest));
        var left = random.Next(total);
        while (true)
        {
            var host = BitOperations.TrailingZeroCount(hosts);
            left -= WeightOf(topology, host);
            if (left < 0) return host;
            hosts &= hosts - 1;
        }
    }

    private static int WeightOf(TopologySnapshot topology, int host) => topology.At(host)!.Configuration.Weight;
}
