using System.Numerics;

namespace ReplicaRouter;

/// <summary>Takes the host with the least work in progress; among several, chance decides.</summary>
/// <remarks>
/// What is in progress is our own, and known at this moment: two random choices would only make up for counts that are out of date. The less the work on
/// a host varies, the fewer connections it is spread over, and the warmer each of their servers' caches are.
/// </remarks>
internal static class LeastInFlight
{
    public static int Pick(ulong candidates, ReadOnlySpan<HostLoad> loads, Random random)
    {
        var least = int.MaxValue;
        ulong best = 0;
        for (var rest = candidates; rest != 0; rest &= rest - 1)
        {
            var inFlight = loads[BitOperations.TrailingZeroCount(rest)].InFlight;
            if (inFlight > least) continue;
            if (inFlight < least) (least, best) = (inFlight, 0);
            best |= rest & ~(rest - 1);
        }

        return BitOperations.IsPow2(best) ? BitOperations.TrailingZeroCount(best) : NthHost(best, random.Next(BitOperations.PopCount(best)));
    }

    private static int NthHost(ulong hosts, int n)
    {
        for (; n > 0; n--) hosts &= hosts - 1;
        return BitOperations.TrailingZeroCount(hosts);
    }
}
