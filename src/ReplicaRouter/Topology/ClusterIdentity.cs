using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>Settles which cluster the router serves, by the system identifier that all servers of a cluster share.</summary>
internal static class ClusterIdentity
{
    /// <returns>The identity, or null as long as a better witness may still answer.</returns>
    public static ulong? Settle(ImmutableArray<HostSnapshot> hosts)
    {
        // Where the configuration says to look first counts most; then whoever takes writes; then, once all were asked, anyone.
        if (hosts.FirstOrDefault(h => h.Configuration.IsConfiguredPrimary && h.Answer is not null) is { } configured) return configured.Answer!.SystemIdentifier;
        if (hosts.Any(h => h.Observations == 0)) return null;
        var witness = hosts.FirstOrDefault(h => h.Answer is { IsInRecovery: false }) ?? hosts.FirstOrDefault(h => h.Answer is not null);
        return witness?.Answer!.SystemIdentifier;
    }
}
