namespace ReplicaRouter.Topology;

/// <summary>Abandoned history: what the router once took for the cluster's history. A session that has seen it has lost history. The default is none.</summary>
/// <param name="SystemIdentifier">The identity that was abandoned last; null for none.</param>
/// <param name="IdentitySince">Timestamp at which that identity was abandoned.</param>
/// <param name="Timeline">The highest abandoned timeline of the current cluster, until the cluster reaches it again; 0 for none.</param>
internal readonly record struct AbandonedHistory(ulong? SystemIdentifier, long IdentitySince, int Timeline)
{
    /// <summary>Whether a position lies on abandoned history, given the cluster's current timeline.</summary>
    public bool Contains(in WalPosition position, int timeline) =>
        position.SystemIdentifier == SystemIdentifier || (position.Timeline > timeline && position.Timeline <= Timeline);

    public AbandonedHistory After((ulong? Cluster, int Timeline) before, (ulong? Cluster, int Timeline) present, long now)
    {
        if (before.Cluster is not null && before.Cluster != present.Cluster) return new AbandonedHistory(before.Cluster, now, 0);
        var highest = Math.Max(Timeline, before.Timeline);
        return this with { SystemIdentifier = SystemIdentifier == present.Cluster ? null : SystemIdentifier, Timeline = present.Timeline < highest ? highest : 0 };
    }
}
