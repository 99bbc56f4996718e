using System.Collections.Immutable;

namespace ReplicaRouter.Topology;

/// <summary>The primary that discovery sources name for each host that they call a replica. Keyed by address, the only name that sources and router share.</summary>
internal sealed record NamedLeaders(ImmutableDictionary<string, NamedLeader> ByEndpoint)
{
    public static readonly NamedLeaders None = new(ImmutableDictionary<string, NamedLeader>.Empty);

    /// <summary>Returns what the sources' last answers say. Ignores an answer that names no primary, or several.</summary>
    public static NamedLeaders Of(IEnumerable<(IReadOnlyList<DiscoveredHost> Hosts, long AskedAt)> answers)
    {
        var leaders = ImmutableDictionary.CreateBuilder<string, NamedLeader>(StringComparer.OrdinalIgnoreCase);
        foreach (var (hosts, askedAt) in answers)
        {
            if (hosts.Where(host => host.IsPrimary).ToList() is not [var leader]) continue;
            foreach (var host in hosts.Where(host => !host.IsPrimary)) leaders[host.Endpoint] = new NamedLeader(leader.Endpoint, askedAt);
        }

        return new NamedLeaders(leaders.ToImmutable());
    }

    /// <summary>Returns the primary that a source names in place of a host, under any of the host's addresses; null for none.</summary>
    public NamedLeader? InPlaceOf(HostSnapshot host, ImmutableArray<HostSnapshot> hosts) =>
        hosts.Where(other => other.Answer?.Server == host.Answer!.Server)
            .Select(other => ByEndpoint.GetValueOrDefault(other.Configuration.Endpoint)).OfType<NamedLeader>().FirstOrDefault();
}

/// <summary>The address of the primary according to a source, and the timestamp of the request to the source.</summary>
internal sealed record NamedLeader(string Endpoint, long AskedAt);
