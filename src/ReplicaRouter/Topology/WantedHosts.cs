using System.Collections.Immutable;

namespace ReplicaRouter.Topology;

/// <summary>Puts together what the configuration and the sources name.</summary>
internal static class WantedHosts
{
    public static IReadOnlyCollection<HostConfiguration> Of(
        ImmutableArray<HostConfiguration> configured, IEnumerable<(string Source, IReadOnlyList<DiscoveredHost> Hosts)> discovered,
        HostConfiguration? primary, DiscoverySettings settings)
    {
        // What is configured has the first word on a server and on a name.
        List<HostConfiguration> wanted = [.. configured];
        if (configured.FirstOrDefault(host => host.IsConfiguredPrimary) is not { } template) return wanted;
        foreach (var (source, hosts) in discovered)
        {
            foreach (var host in hosts) AddNew(wanted, Of(host, source, template, settings));
        }

        // A source that has forgotten who takes writes at present is behind the times.
        if (primary is { IsDiscovered: true }) AddNew(wanted, primary);
        return wanted;
    }

    private static void AddNew(List<HostConfiguration> wanted, HostConfiguration host)
    {
        if (wanted.Exists(known => known.Endpoint.Equals(host.Endpoint, StringComparison.OrdinalIgnoreCase))) return;
        if (wanted.Exists(known => known.Name == host.Name)) host = host with { Name = host.Endpoint.ToLowerInvariant() };
        // A source may call one host by the address of another.
        if (!wanted.Exists(known => known.Name == host.Name)) wanted.Add(host);
    }

    /// <summary>All but the address and the ways to log in is as with the configured primary: user, password, database, TLS.</summary>
    private static HostConfiguration Of(DiscoveredHost host, string source, HostConfiguration template, DiscoverySettings settings) => new()
    {
        Index = 0,
        Name = (host.Name ?? host.Address).ToLowerInvariant(),
        Connection = DiscoveredLogin.Of(template.Connection, host, settings.Allowed),
        Groups = host.Groups is null ? settings.Groups : [.. host.Groups.Select(group => group.ToLowerInvariant()).Distinct()],
        Labels = [.. host.Labels],
        Weight = host.Weight,
        Source = $"what the source '{source}' names",
        IsDiscovered = true,
    };
}
