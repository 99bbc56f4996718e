using System.Collections.Immutable;

namespace ReplicaRouter.Topology;

/// <summary>Which primary the sources name for each of the hosts that they call replicas. By addresses, as a source knows no other names.</summary>
internal sealed record NamedLeaders(ImmutableDictionary<string, NamedLeader> ByEndpoint)
{
    public static readonly NamedLeaders None = new(ImmutableDictionary<string, NamedLeader>.Empty);

    public bool IsEmpty => ByEndpoint.Count == 0;

    /// <summary>What the last answers of the sources say. Nothing follows of one that names no primary, or several.</summary>
    public static NamedLeaders Of(IEnumerable<(IReadOnlyList<DiscoveredHost> Hosts, long AskedAt)> answers)
    {
        var leaders = ImmutableDictionary.CreateBuilder<string, NamedLeader>(StringComparer.OrdinalIgnoreCase);
        foreach (var (hosts, askedAt) in answers)
        {
            if (hosts.Where(host => host.IsPrimary).ToList() is not [var leader]) continue;
            foreach (var host in hosts.Where(host => !host.IsPrimary)) leaders[host.Endpoint] = new NamedLeader(leader.Endpoint, askedAt);
        }

        return leaders.Count == 0 ? None : new NamedLeaders(leaders.ToImmutable());
    }

    /// <summary>The primary that a source names in place of a host, under whichever of its names; null when none does.</summary>
    public NamedLeader? InPlaceOf(HostSnapshot host, ImmutableArray<HostSnapshot> hosts) => IsEmpty ? null
        : hosts.Where(other => other.Answer?.Server == host.Answer!.Server).Select(other => ByEndpoint.GetValueOrDefault(other.Configuration.Endpoint)).OfType<NamedLeader>().FirstOrDefault();
}

/// <summary>The address of a primary by a source's word, and the timestamp at which the source was asked.</summary>
internal sealed record NamedLeader(string Endpoint, long AskedAt);
