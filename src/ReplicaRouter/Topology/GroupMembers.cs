using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>Which hosts serve which groups at a moment, one bit each.</summary>
internal sealed class GroupMembers
{
    private readonly ImmutableArray<string> _groups;
    private readonly ImmutableArray<ulong> _members;

    private GroupMembers(ImmutableArray<string> groups, ImmutableArray<ulong> members) => (_groups, _members) = (groups, members);

    public static GroupMembers Of(ImmutableArray<string> groups, IReadOnlyCollection<HostConfiguration> hosts) =>
        new(groups, [.. groups.Select(group => hosts.Where(host => host.Groups.Contains(group)).Aggregate(0UL, (set, host) => set | host.Bit))]);

    /// <summary>The same groups, served by other hosts.</summary>
    public GroupMembers With(IReadOnlyCollection<HostConfiguration> hosts) => Of(_groups, hosts);

    /// <summary>Whether a host serves a step of a route that is not the primary's.</summary>
    public bool Contains(in RouteTier tier, HostConfiguration host) => (_members[tier.GroupIndex] & host.Bit) != 0;
}
