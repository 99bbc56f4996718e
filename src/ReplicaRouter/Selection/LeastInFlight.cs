using System.Numerics;

namespace ReplicaRouter.Selection;

/// <summary>Takes the host with the least work in progress; among several mostly the one that has just answered, else chance decides.</summary>
/// <remarks>
/// What is in progress is our own, and known at this moment: two random choices would only make up for counts that are out of date. The less the work on
/// a host varies, the fewer connections it is spread over, and the warmer each of their servers' caches are; warmest is the one that was used last.
/// </remarks>
internal static class LeastInFlight
{
    /// <summary>One choice in so many leaves the host that has just answered, so that a caller who sends one command after the other uses all hosts.</summary>
    private const int Stay = 8;

    /// <summary>Picks at a moment of the coarse clock, by a number that <see cref="Random.Next()"/> gave: drawn before all else, it is not waited for here.</summary>
    public static int Pick(ulong candidates, ReadOnlySpan<HostLoad> loads, int drawn, long now)
    {
        var failed = FailedAmong(candidates, loads);
        var (least, last) = (int.MaxValue, -1);
        ulong best = 0;
        for (var rest = candidates & ~failed; rest != 0; rest &= rest - 1)
        {
            var host = BitOperations.TrailingZeroCount(rest);
            var (load, inFlight) = (loads[host], loads[host].InFlight);
            if (inFlight > least) continue;
            if (inFlight < least) (least, best, last) = (inFlight, 0, host);
            else if (load.Commands.ProgressAt > loads[last].Commands.ProgressAt) last = host;
            best |= rest & ~(rest - 1);
        }

        if (failed != 0 && NthHost(candidates, Scaled(drawn, BitOperations.PopCount(candidates))) is var fair && (failed >> fair & 1) != 0 && loads[fair].InFlight <= least) return fair;
        if (BitOperations.IsPow2(best)) return last;
        return loads[last].IsWarm(now) && drawn % Stay != 0 ? last : NthHost(best, Scaled(drawn, BitOperations.PopCount(best)));
    }

    /// <summary>Hosts whose last command failed, unless all did. One that fails at once never has much in progress: it gets no more than the share that chance gives it.</summary>
    private static ulong FailedAmong(ulong candidates, ReadOnlySpan<HostLoad> loads)
    {
        ulong failed = 0;
        for (var rest = candidates; rest != 0; rest &= rest - 1)
        {
            if (loads[BitOperations.TrailingZeroCount(rest)].HasFailed) failed |= rest & ~(rest - 1);
        }

        return failed == candidates ? 0 : failed;
    }

    /// <summary>A random number below a limit, by what is drawn from all of them; its last bits play no part.</summary>
    private static int Scaled(int drawn, int limit) => (int)(((long)drawn * limit) >> 31);

    private static int NthHost(ulong hosts, int n)
    {
        for (; n > 0; n--) hosts &= hosts - 1;
        return BitOperations.TrailingZeroCount(hosts);
    }
}
