using System.Collections.Immutable;

namespace ReplicaRouter.Configuration;

/// <summary>How sources of hosts are asked: what <see cref="DiscoveryOptions"/> say of all of them.</summary>
internal sealed record DiscoverySettings(TimeSpan Interval, TimeSpan Timeout, ImmutableArray<string> Groups, AllowedHosts Allowed)
{
    public bool SaysTheSameAs(DiscoverySettings other) =>
        Interval == other.Interval && Timeout == other.Timeout && Groups.SequenceEqual(other.Groups) && Allowed.SaysTheSameAs(other.Allowed);
}
