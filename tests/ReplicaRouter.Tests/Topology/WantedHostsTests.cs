using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Topology;

/// <summary>Which hosts the configuration and the discovery sources name together.</summary>
public class WantedHostsTests
{
    private static readonly RouterConfiguration s_configuration = RouterConfigurationBuilder.Build(OptionsFor("primary", "analytics"));

    private static HostConfiguration[] Of(params DiscoveredHost[] named) => WithPrimary(null, named);

    private static HostConfiguration[] WithPrimary(HostConfiguration? primary, params DiscoveredHost[] named) =>
        [.. WantedHosts.Of(s_configuration.Hosts, [("dns", named)], primary, s_configuration.Discovery)];

    [Fact]
    public void A_discovered_host_logs_in_as_the_configured_primary_does()
    {
        var host = Of(new DiscoveredHost("10.0.0.7", 6432) { Name = "PG-7", Labels = ["zone=a"], Weight = 4 })[2];
        Assert.Equal(("pg-7", "10.0.0.7:6432", "app", "secret"), (host.Name, host.Endpoint, host.Connection.Username, host.Connection.Password));
        Assert.Equal((true, 4, "the discovery source 'dns'"), (host.IsDiscovered, host.Weight, host.Source));
        Assert.Equal(["zone=a"], host.Labels);
    }

    [Fact]
    public void A_host_has_the_groups_that_its_source_names_and_else_the_default_ones()
    {
        var hosts = Of(new("10.0.0.7", 5432), new("10.0.0.8", 5432) { Groups = [] }, new("10.0.0.9", 5432) { Groups = ["Analytics", "analytics"] });
        Assert.Equal(s_configuration.Discovery.Groups, hosts[2].Groups);
        Assert.NotEmpty(hosts[2].Groups);
        Assert.Empty(hosts[3].Groups);
        Assert.Equal(["analytics"], hosts[4].Groups);
    }

    [Fact]
    public void An_address_names_one_host_whatever_its_case()
    {
        var hosts = Of(new("DB-1.internal", 5432), new("db-1.Internal", 5432) { Name = "other" }, new("db-1.internal", 5433));
        Assert.Equal(["primary", "analytics", "db-1.internal", "db-1.internal:5433"], hosts.Select(host => host.Name));
    }

    [Fact]
    public void Two_sources_can_name_the_same_host_and_use_one_name_for_two_hosts()
    {
        IReadOnlyList<DiscoveredHost> first = [new("10.0.0.7", 5432) { Name = "pg" }], second = [new("10.0.0.7", 5432) { Name = "db" }, new("10.0.0.8", 5432) { Name = "pg" }];
        var hosts = WantedHosts.Of(s_configuration.Hosts, [("one", first), ("two", second)], null, s_configuration.Discovery);
        Assert.Equal(["primary", "analytics", "pg", "10.0.0.8:5432"], hosts.Select(host => host.Name));
    }

    [Fact]
    public void A_discovered_primary_stays_when_its_source_omits_it_or_names_it_differently()
    {
        var primary = Of(new DiscoveredHost("10.0.0.7", 5432) { Name = "pg-7" })[2];
        Assert.Equal(["primary", "analytics", "10.0.0.8", "pg-7"], WithPrimary(primary, new DiscoveredHost("10.0.0.8", 5432)).Select(host => host.Name));
        Assert.Equal(["primary", "analytics", "db-7"], WithPrimary(primary, new DiscoveredHost("10.0.0.7", 5432) { Name = "db-7" }).Select(host => host.Name));
    }

    [Fact]
    public void A_configured_host_is_removed_with_its_configuration_even_if_it_is_the_primary()
    {
        var hosts = WantedHosts.Of([s_configuration.Hosts[0]], [], s_configuration.Hosts[1], s_configuration.Discovery);
        Assert.Equal(["primary"], hosts.Select(host => host.Name));
    }
}
