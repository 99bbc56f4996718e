using System.Numerics;

namespace ReplicaRouter;

/// <summary>Samples two hosts at random and takes the one with less work in progress; a tie is a coin's throw.</summary>
/// <remarks>Source: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001.</remarks>
internal static class TwoChoices
{
    public static int Pick(ulong candidates, ReadOnlySpan<HostLoad> loads, Random random)
    {
        var count = BitOperations.PopCount(candidates);
        if (count == 1) return BitOperations.TrailingZeroCount(candidates);

        // One draw of 63 bits is two of 31.
        var draw = random.NextInt64();
        var first = Below(count, draw >> 32);
        var second = Below(count - 1, draw & int.MaxValue);
        if (second >= first) second++;              // steps over `first`: distinct without redrawing
        // `first` is as likely one host as the other, so a tie needs no further draw.
        var (a, b) = (NthHost(candidates, first), NthHost(candidates, second));
        return loads[a].InFlight <= loads[b].InFlight ? a : b;
    }

    /// <summary>Scales 31 random bits to a range, with a bias below 64 / 2^31.</summary>
    private static int Below(int limit, long bits) => (int)((limit * bits) >> 31);

    private static int NthHost(ulong hosts, int n)
    {
        for (; n > 0; n--) hosts &= hosts - 1;
        return BitOperations.TrailingZeroCount(hosts);
    }
}
