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

        var first = random.Next(count);
        var second = random.Next(count - 1);
        if (second >= first) second++;              // steps over `first`: distinct without redrawing
        // `first` is as likely one host as the other, so a tie needs no further draw.
        var (a, b) = (NthHost(candidates, first), NthHost(candidates, second));
        return loads[a].InUse <= loads[b].InUse ? a : b;
    }

    private static int NthHost(ulong hosts, int n)
    {
        for (; n > 0; n--) hosts &= hosts - 1;
        return BitOperations.TrailingZeroCount(hosts);
    }
}
