using System.Numerics;

namespace ReplicaRouter.Simulation;

/// <summary>Sets of hosts, one bit each.</summary>
internal static class HostSet
{
    public static int Count(ulong hosts) => BitOperations.PopCount(hosts);

    public static int Nth(ulong hosts, int n)
    {
        for (; n > 0; n--) hosts &= hosts - 1;
        return BitOperations.TrailingZeroCount(hosts);
    }

    /// <summary>Returns two different random hosts; the same one twice if there is only one.</summary>
    public static (int A, int B) Two(ulong hosts, Random random)
    {
        var count = Count(hosts);
        if (count == 1) return (Nth(hosts, 0), Nth(hosts, 0));
        var first = random.Next(count);
        var second = random.Next(count - 1);
        return (Nth(hosts, first), Nth(hosts, second >= first ? second + 1 : second));
    }

    /// <summary>Returns the host with the least cost, and a random one of several.</summary>
    public static int Least(ulong hosts, Random random, Func<int, double> cost)
    {
        var (best, least, ties) = (-1, double.MaxValue, 0);
        for (var rest = hosts; rest != 0; rest &= rest - 1)
        {
            var host = BitOperations.TrailingZeroCount(rest);
            var its = cost(host);
            if (its > least) continue;
            ties = its < least ? 1 : ties + 1;
            if (its < least || random.Next(ties) == 0) best = host;
            least = its;
        }

        return best;
    }
}
