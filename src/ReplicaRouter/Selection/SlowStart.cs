namespace ReplicaRouter.Selection;

/// <summary>Gives hosts that just returned only a share of their usual load: their caches, and our connections to them, are cold.</summary>
/// <remarks>Decides at random for each request. Work in progress would not do: an application that sends little has too little, and a new host always has the least.</remarks>
internal static class SlowStart
{
    /// <returns>Only the returning host whose turn it is, or the hosts that share all other requests.</returns>
    public static ulong Filter(TopologySnapshot topology, ulong candidates, long now, Random random)
    {
        var (returning, weights) = (0UL, 0);
        foreach (var host in topology.Hosts)
        {
            if ((candidates & host.Configuration.Bit) == 0) continue;
            weights += host.Configuration.Weight;
            if (host.Probation.FullAt > now) returning |= host.Configuration.Bit;
        }

        if (returning == 0 || returning == candidates) return candidates;
        var drawn = random.NextDouble() * weights;
        foreach (var host in topology.Hosts)
        {
            if ((returning & host.Configuration.Bit) == 0) continue;
            drawn -= host.Configuration.Weight * host.Probation.ShareAt(now);
            if (drawn < 0) return host.Configuration.Bit;
        }

        return candidates & ~returning;
    }
}
