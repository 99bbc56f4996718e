using System.Numerics;

namespace ReplicaRouter;

/// <summary>Leaves out hosts that are much slower than the fastest one, but for a trial now and then.</summary>
/// <remarks>Two random choices alone send a share of the work to slow hosts whenever both draws are slow; a window relative to the best does not.</remarks>
internal static class LatencyWindow
{
    /// <summary>A host stays in up to twice the best latency.</summary>
    public const double Ratio = 2;

    /// <summary>Differences below this are noise of the network and the scheduler, in ms.</summary>
    private const double ToleranceMs = 1;

    /// <summary>A host that has been busy for so many times the limit with nothing done is slow by now, whatever it was before.</summary>
    private const double LimitsOfSilence = 2;

    /// <summary>Less silence than this is the scheduler's doing on a busy machine, in ms. What waits there meanwhile keeps others away, as hosts are compared by it.</summary>
    private const double LeastSilenceMs = 10;

    public static ulong Filter(ulong candidates, int route, ReadOnlySpan<HostLoad> loads)
    {
        var (window, silent, limit) = Judge(candidates, route, loads);
        if (window != silent) window &= ~silent;
        return window == candidates ? window : window | Overflow(candidates & ~window, window, route, limit, loads);
    }

    /// <summary>The same, whether or not they have something under way that takes long.</summary>
    public static ulong Fast(ulong candidates, int route, ReadOnlySpan<HostLoad> loads) => Judge(candidates, route, loads).Window;

    /// <summary>Where all others would have to be logged in to first, hosts that were left out just now go on for a moment: chance may have been the reason, and a login costs more.</summary>
    private static ulong Overflow(ulong left, ulong window, int route, double limit, ReadOnlySpan<HostLoad> loads)
    {
        for (var rest = window; rest != 0; rest &= rest - 1)
        {
            if (loads[BitOperations.TrailingZeroCount(rest)].HasRoom) return 0;
        }

        ulong overflow = 0;
        for (var rest = left; rest != 0; rest &= rest - 1)
        {
            if (loads[BitOperations.TrailingZeroCount(rest)].MayHelpOut(route, limit)) overflow |= rest & ~(rest - 1);
        }

        return overflow;
    }

    private static (ulong Window, ulong Silent, double Limit) Judge(ulong candidates, int route, ReadOnlySpan<HostLoad> loads)
    {
        var best = double.MaxValue;
        for (var rest = candidates; rest != 0; rest &= rest - 1)
        {
            var latency = loads[BitOperations.TrailingZeroCount(rest)].MostLatencyMs(route);
            // Nothing measured yet: neither a reason to leave it out, nor a measure for others.
            if (latency > 0 && latency < best) best = latency;
        }

        if (best == double.MaxValue) return (candidates, 0, best);
        var limit = Math.Max(Ratio * best, best + ToleranceMs);
        var silence = Math.Max(LimitsOfSilence * limit, LeastSilenceMs);
        var now = loads[BitOperations.TrailingZeroCount(candidates)].Now;
        ulong left = 0, silent = 0;
        for (var rest = candidates; rest != 0; rest &= rest - 1)
        {
            var bit = rest & ~(rest - 1);
            var load = loads[BitOperations.TrailingZeroCount(bit)];
            if (load.IsLeftOut(route, limit, now)) left |= bit;
            else if (load.IsSilent(silence)) silent |= bit;
        }

        var window = candidates & ~left;
        // The fastest host is not left out, unless another thread has noted meanwhile that it is slow by now. It may well be silent.
        return window == 0 ? (candidates, 0, limit) : (window, silent, limit);
    }
}
