using System.Collections.Immutable;

namespace ReplicaRouter.Hosts;

/// <summary>Which cluster the router serves. It is firm once the configured primary or an operator decided it; a majority decides only until that primary is seen.</summary>
internal sealed record ClusterIdentity(ulong SystemIdentifier, bool IsFirm)
{
    /// <summary>Decides again, by what the hosts answered last. Null as long as a better witness may still answer.</summary>
    public static ClusterIdentity? Decide(ClusterIdentity? before, ImmutableArray<HostSnapshot> hosts)
    {
        // Without a present host that ever showed it, an identity is a memory of servers that were removed.
        var known = before is not null && hosts.Any(host => Shows(host, before.SystemIdentifier)) ? before : null;
        var configured = hosts.FirstOrDefault(host => host.Configuration.IsConfiguredPrimary && host.Answer is not null);
        if (known is { IsFirm: true }) return Successor(known, configured, hosts) ?? known;
        if (configured is not null) return new ClusterIdentity(configured.Answer!.SystemIdentifier, IsFirm: true);
        return hosts.Any(host => host.Observations == 0) ? known : Majority(known, hosts);
    }

    /// <summary>The identity of a cluster in the former one's place, as after pg_upgrade: every host that answers has it. One address with another is a wrong one.</summary>
    private static ClusterIdentity? Successor(ClusterIdentity former, HostSnapshot? configured, ImmutableArray<HostSnapshot> hosts)
    {
        if (configured is null || Shows(configured, former.SystemIdentifier) || !IsHeard(configured)) return null;
        var next = configured.Answer!.SystemIdentifier;
        return hosts.All(host => !IsHeard(host) || Shows(host, next)) ? new ClusterIdentity(next, IsFirm: true) : null;
    }

    /// <summary>What most of the servers that answer show. Of several that are as many, the one that was followed so far, then the one that has a primary.</summary>
    private static ClusterIdentity? Majority(ClusterIdentity? known, ImmutableArray<HostSnapshot> hosts)
    {
        var most = hosts.Where(IsHeard).GroupBy(host => host.Answer!.SystemIdentifier)
            .OrderByDescending(cluster => cluster.DistinctBy(host => host.Answer!.Server).Count())
            .ThenByDescending(cluster => cluster.Key == known?.SystemIdentifier)
            .ThenByDescending(cluster => cluster.Any(host => host.Answer is { IsInRecovery: false }))
            .FirstOrDefault();
        return most is null ? known : new ClusterIdentity(most.Key, IsFirm: false);
    }

    private static bool Shows(HostSnapshot host, ulong cluster) => host.Answer?.SystemIdentifier == cluster;

    private static bool IsHeard(HostSnapshot host) => host.Answer is not null && !HostStateRules.IsSilent(host);
}
