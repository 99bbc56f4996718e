using System.Numerics;

namespace ReplicaRouter;

/// <summary>Takes the host with the least work in progress; among several mostly the one that has just answered, else chance decides.</summary>
/// <remarks>
/// What is in progress is our own, and known at this moment: two random choices would only make up for counts that are out of date. The less the work on
/// a host varies, the fewer connections it is spread over, and the warmer each of their servers' caches are; warmest is the one that was used last.
/// </remarks>
internal static class LeastInFlight
{
    /// <summary>One choice in so many leaves the host that has just answered, so that a caller who sends one command after the other uses all hosts.</summary>
    private const int Stay = 8;

    public static int Pick(ulong candidates, ReadOnlySpan<HostLoad> loads, Random random, long now)
    {
        var (least, last) = (int.MaxValue, -1);
        ulong best = 0;
        for (var rest = candidates; rest != 0; rest &= rest - 1)
        {
            var host = BitOperations.TrailingZeroCount(rest);
            var (load, inFlight) = (loads[host], loads[host].InFlight);
            if (inFlight > least) continue;
            if (inFlight < least) (least, best, last) = (inFlight, 0, host);
            else if (load.Commands.ProgressAt > loads[last].Commands.ProgressAt) last = host;
            best |= rest & ~(rest - 1);
        }

        if (BitOperations.IsPow2(best)) return last;
        return loads[last].IsWarm(now) && random.Next(Stay) != 0 ? last : NthHost(best, random.Next(BitOperations.PopCount(best)));
    }

    private static int NthHost(ulong hosts, int n)
    {
        for (; n > 0; n--) hosts &= hosts - 1;
        return BitOperations.TrailingZeroCount(hosts);
    }
}
