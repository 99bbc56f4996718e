namespace ReplicaRouter.Topology;

/// <summary>Finds configuration faults that the first probes show and that waiting cannot cure.</summary>
internal static class Misconfiguration
{
    public static IReadOnlyList<string> Find(TopologySnapshot topology)
    {
        // A wrong answer of a discovery source must not stop the start.
        var configured = topology.Hosts.Where(host => !host.Configuration.IsDiscovered).ToList();
        var faults = configured
            .Where(host => host.State is HostState.Misconfigured or HostState.ForeignCluster)
            .Select(host => $"Host '{host.Name}': {host.Error}").ToList();

        // Two hosts that show the same start of the postmaster, to the microsecond, and the same server port are one server.
        var answered = configured.Where(host => host.IsAnswering);
        foreach (var duplicates in answered.GroupBy(host => host.Answer!.Server).Where(group => group.Count() > 1))
        {
            faults.Add(RouterConfigurationBuilder.SameServer(duplicates.Select(h => h.Configuration.Source)));
        }

        if (faults.Count == 0 && topology.Hosts.All(host => host.IsServing && host.Role == HostRole.Replica))
        {
            faults.Add($"{topology.Hosts[0].Configuration.Source}: {topology.Hosts[0].Configuration.Endpoint} is a standby, and so is every other host: " +
                "no primary is configured. Set DATABASE_URL to the primary.");
        }

        return faults;
    }
}
