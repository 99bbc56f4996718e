using System.Collections.Immutable;

namespace ReplicaRouter.Hosts;

/// <summary>The cluster that the router serves. It is firm once the configured primary or an operator decides it; until then the majority of servers decides.</summary>
internal sealed record ClusterIdentity(ulong SystemIdentifier, bool IsFirm)
{
    /// <summary>Returns the identity by the hosts' last answers. A majority decides only once every host was probed, as a better witness may still answer.</summary>
    public static ClusterIdentity? Decide(ClusterIdentity? before, ImmutableArray<HostSnapshot> hosts)
    {
        // An identity that no current host ever showed belongs to servers that were removed.
        var known = before is not null && hosts.Any(host => Shows(host, before.SystemIdentifier)) ? before : null;
        var configured = hosts.FirstOrDefault(host => host.Configuration.IsConfiguredPrimary && host.Answer is not null);
        if (known is { IsFirm: true }) return Successor(known, configured, hosts) ?? known;
        if (configured is not null) return new ClusterIdentity(configured.Answer!.SystemIdentifier, IsFirm: true);
        return hosts.Any(host => host.Observations == 0) ? known : Majority(known, hosts);
    }

    /// <summary>Returns the identity that replaced the former one, as after pg_upgrade: every answering host shows it. One that only some show is a wrong address.</summary>
    private static ClusterIdentity? Successor(ClusterIdentity former, HostSnapshot? configured, ImmutableArray<HostSnapshot> hosts)
    {
        if (configured is null || Shows(configured, former.SystemIdentifier) || !IsHeard(configured)) return null;
        var next = configured.Answer!.SystemIdentifier;
        return hosts.All(host => !IsHeard(host) || Shows(host, next)) ? new ClusterIdentity(next, IsFirm: true) : null;
    }

    /// <summary>Returns the identity that most answering servers show. Ties go to the current identity, then to a cluster with a primary.</summary>
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
