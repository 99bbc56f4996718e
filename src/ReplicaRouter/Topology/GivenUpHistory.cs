namespace ReplicaRouter.Topology;

/// <summary>What a router took for the cluster's history and gave up since: a session that has seen it has lost history. The default is nothing.</summary>
/// <param name="SystemIdentifier">The identity that was given up last; null for none.</param>
/// <param name="IdentitySince">Timestamp at which it was.</param>
/// <param name="Timeline">The highest timeline of the present cluster that was given up and not reached again; 0 for none.</param>
internal readonly record struct GivenUpHistory(ulong? SystemIdentifier, long IdentitySince, int Timeline)
{
    /// <summary>Whether a position is on what was given up, while the cluster is on a timeline.</summary>
    public bool Contains(in WalPosition position, int timeline) =>
        position.SystemIdentifier == SystemIdentifier || (position.Timeline > timeline && position.Timeline <= Timeline);

    public GivenUpHistory After((ulong? Cluster, int Timeline) before, (ulong? Cluster, int Timeline) present, long now)
    {
        if (before.Cluster is not null && before.Cluster != present.Cluster) return new GivenUpHistory(before.Cluster, now, 0);
        var highest = Math.Max(Timeline, before.Timeline);
        return this with { SystemIdentifier = SystemIdentifier == present.Cluster ? null : SystemIdentifier, Timeline = present.Timeline < highest ? highest : 0 };
    }
}
