using System.Numerics;

namespace ReplicaRouter;

/// <summary>Gives hosts that have just returned only a share of what they would get: their caches and our connections to them are cold.</summary>
/// <remarks>
/// By chance rather than by weight: an application that sends little never has enough in flight for a weight of in-flight work to send anything there.
/// </remarks>
internal static class SlowStart
{
    public static ulong Filter(TopologySnapshot topology, ulong candidates, long now, Random random)
    {
        var warm = candidates;
        for (var rest = candidates; rest != 0; rest &= rest - 1)
        {
            var share = topology.At(BitOperations.TrailingZeroCount(rest))!.Comeback.ShareAt(now);
            if (share < 1 && random.NextDouble() >= share) warm &= ~(rest & ~(rest - 1));
        }

        return warm != 0 ? warm : candidates;
    }
}
