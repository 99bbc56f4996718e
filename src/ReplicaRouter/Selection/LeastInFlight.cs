using System.Numerics;

namespace ReplicaRouter.Selection;

/// <summary>Picks the host with the least work in progress. Among equals, it usually picks the one that just answered, and otherwise one at random.</summary>
/// <remarks>
/// The work in progress is our own, and its counts are exact: two random choices would only compensate for stale counts. The less the work on a
/// host varies, the fewer connections it is spread over, and the warmer are the caches of their backends. The connection used last is the warmest.
/// </remarks>
internal static class LeastInFlight
{
    /// <summary>One choice in this many leaves the host that just answered, so that a caller who sends one command after another uses all hosts.</summary>
    private const int Stay = 8;

    /// <summary>Picks at a moment of the coarse clock. <paramref name="drawn"/> comes from <see cref="Random.Next()"/>, drawn early so that nothing waits for it here.</summary>
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

        if (failed != 0 && Draw(candidates, drawn) is var fair && (failed >> fair & 1) != 0 && loads[fair].InFlight <= least) return fair;
        if (BitOperations.IsPow2(best)) return last;
        return loads[last].IsWarm(now) && drawn % Stay != 0 ? last : Draw(best, drawn);
    }

    /// <summary>Returns the hosts whose last command failed, unless all did. One that fails at once never has much in progress, so it gets only its random share.</summary>
    private static ulong FailedAmong(ulong candidates, ReadOnlySpan<HostLoad> loads)
    {
        ulong failed = 0;
        for (var rest = candidates; rest != 0; rest &= rest - 1)
        {
            if (loads[BitOperations.TrailingZeroCount(rest)].HasFailed) failed |= rest & ~(rest - 1);
        }

        return failed == candidates ? 0 : failed;
    }

    /// <summary>Returns the host that a drawn number stands for. The number's lowest bits have no influence.</summary>
    private static int Draw(ulong hosts, int drawn)
    {
        for (var n = ((long)drawn * BitOperations.PopCount(hosts)) >> 31; n > 0; n--) hosts &= hosts - 1;
        return BitOperations.TrailingZeroCount(hosts);
    }
}
