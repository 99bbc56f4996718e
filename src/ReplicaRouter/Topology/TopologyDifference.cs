using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>What it takes to get from the hosts that there are to those that are wanted.</summary>
/// <param name="Added">Hosts that are new. They have no index yet.</param>
/// <param name="Removed">Hosts that are to go.</param>
/// <param name="Kept">Hosts that stay: as they are, and as they are wanted, under the index that they have.</param>
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
