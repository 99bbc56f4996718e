using System.Collections.Immutable;

namespace ReplicaRouter.Topology;

/// <summary>The changes from the current hosts to the wanted ones. Added hosts have no index yet; kept hosts keep theirs.</summary>
internal sealed record TopologyDifference(
    ImmutableArray<HostConfiguration> Added, ImmutableArray<HostConfiguration> Removed, ImmutableArray<(HostConfiguration Before, HostConfiguration After)> Kept)
{
    public static TopologyDifference Between(IReadOnlyCollection<HostConfiguration> present, IReadOnlyCollection<HostConfiguration> wanted)
    {
        var kept = from after in wanted
                   from before in present
                   where after.IsSameHost(before)
                   select (before, after with { Index = before.Index, AddedAt = before.AddedAt });
        return new TopologyDifference(
            [.. wanted.Where(host => !present.Any(host.IsSameHost))],
            [.. present.Where(host => !wanted.Any(host.IsSameHost))],
            [.. kept]);
    }
}
