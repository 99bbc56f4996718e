using System.Collections.Immutable;

namespace ReplicaRouter.Configuration;

/// <summary>The settings of all discovery sources, from <see cref="DiscoveryOptions"/>.</summary>
internal sealed record DiscoverySettings(TimeSpan Interval, TimeSpan Timeout, ImmutableArray<string> Groups, AllowedHosts Allowed)
{
    public bool SaysTheSameAs(DiscoverySettings other) =>
        Interval == other.Interval && Timeout == other.Timeout && Groups.SequenceEqual(other.Groups) && Allowed.Entries.SequenceEqual(other.Allowed.Entries);
}
