namespace ReplicaRouter.Topology;

/// <summary>Finds what the first probes show of a configuration that does not fit the servers, and that no waiting mends.</summary>
internal static class Misconfiguration
{
    public static IReadOnlyList<string> Find(TopologySnapshot topology)
    {
        // What a source names is nothing that a start could hang on.
        var configured = topology.Hosts.Where(host => !host.Configuration.IsDiscovered).ToList();
        var faults = configured
            .Where(host => host.State is HostState.Misconfigured or HostState.ForeignCluster)
            .Select(host => $"Host '{host.Name}': {host.Error}").ToList();

        // The postmaster's start, to the microsecond, and its own port: two names that show both are two names of one server.
        var answered = configured.Where(host => host.IsAnswering);
        foreach (var twins in answered.GroupBy(host => host.Answer!.Server).Where(group => group.Count() > 1))
        {
            faults.Add(RouterConfigurationBuilder.SameServer(twins.Select(h => h.Configuration.Source)));
        }

        if (faults.Count == 0 && topology.Hosts.All(host => host.IsServing && host.Role == HostRole.Replica))
        {
            faults.Add($"{topology.Hosts[0].Configuration.Source}: {topology.Hosts[0].Configuration.Endpoint} is a standby, and so is every other host: " +
                "no primary is configured. Set DATABASE_URL to the primary.");
        }

        return faults;
    }
}
