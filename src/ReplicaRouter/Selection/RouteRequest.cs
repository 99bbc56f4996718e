using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>What one choice of a host is asked for.</summary>
/// <param name="Now">The moment of the choice, as a timestamp.</param>
/// <param name="MaxLag">Most replication lag, in timestamp units.</param>
/// <param name="Labels">Labels that a replica must carry.</param>
/// <param name="Excluded">Hosts that this operation has already tried, one bit each.</param>
internal readonly record struct RouteRequest(long Now, long MaxLag, ImmutableArray<string> Labels, ulong Excluded = 0)
{
    /// <summary>What a call asks of its route now.</summary>
    public static RouteRequest For(RoutePlan plan, in RouteOptions options, TimeProvider time) =>
        new(time.GetTimestamp(), time.Ticks(options.MaxLag ?? plan.MaxLag), options.Labels);
}
