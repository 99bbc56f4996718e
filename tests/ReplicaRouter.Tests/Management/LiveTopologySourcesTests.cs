using System.Collections.Immutable;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Management;

/// <summary>How the hosts of the configuration and of several sources change one after another.</summary>
public sealed class LiveTopologySourcesTests : IAsyncDisposable
{
    private readonly TestHosts _hosts = new("primary", "analytics");
    private readonly LiveTopology _live;

    public LiveTopologySourcesTests()
    {
        var drain = new ConnectionDrain(_hosts.Configuration, new ConnectionCutter(_hosts.Configuration, _hosts.Listener, _hosts.Time, _hosts.Log), _hosts.Time, _hosts.Log);
        _live = new LiveTopology(_hosts.Configuration, _hosts.Registry, _hosts.Store, TestHosts.Probe, drain, _hosts.Counters, _hosts.Time, _hosts.Log);
        _hosts.Answer("primary", Primary(500)).Answer("analytics", Replica(500));
    }

    private ImmutableArray<HostConfiguration> Configured => _hosts.Configuration.Hosts;

    private IEnumerable<string> Names => _hosts.Store.Current.Hosts.Select(host => host.Name);

    public async ValueTask DisposeAsync()
    {
        await _live.DisposeAsync();
        foreach (var host in _hosts.Registry.All) await host.Monitor.DisposeAsync();
        _hosts.Dispose();
    }

    private void Discover(string source, params DiscoveredHost[] hosts) => _live.Discover(source, hosts, _hosts.Time.GetTimestamp());

    [Fact]
    public void The_answer_of_a_source_replaces_only_its_own_hosts()
    {
        Discover("one", new DiscoveredHost("10.0.0.7", 5432));
        Discover("two", new DiscoveredHost("10.0.0.8", 5432));
        Assert.Equal(["primary", "analytics", "10.0.0.7", "10.0.0.8"], Names);
        Discover("one", new DiscoveredHost("10.0.0.9", 5432));
        Assert.Equal(["primary", "analytics", "10.0.0.8", "10.0.0.9"], Names);
        Assert.Equal((3L, 1L, 0L), (_hosts.Counters[RouterEvent.HostAdded], _hosts.Counters[RouterEvent.HostRemoved], _hosts.Counters[RouterEvent.HostReassigned]));
    }

    [Fact]
    public void Hosts_of_sources_stay_when_the_configuration_changes_and_the_other_way_round()
    {
        Discover("one", new DiscoveredHost("10.0.0.7", 5432));
        _live.Configure([Configured[0]]);
        Assert.Equal(["primary", "10.0.0.7"], Names);
        Discover("one", new DiscoveredHost("10.0.0.8", 5432));
        Assert.Equal(["primary", "10.0.0.8"], Names);
        _live.Configure(Configured);
        Assert.Equal(["primary", "10.0.0.8", "analytics"], Names);
    }

    [Fact]
    public void Too_many_hosts_are_refused_and_forgotten()
    {
        DiscoveredHost[] many = [.. Enumerable.Range(1, RouterConfiguration.MostHosts).Select(i => new DiscoveredHost($"10.0.1.{i}", 5432))];
        var before = _hosts.Store.Current;
        Assert.Throws<DatabaseRouterConfigurationException>(() => Discover("one", many));
        Assert.Same(before, _hosts.Store.Current);
        _live.Configure(Configured);
        Assert.Equal(["primary", "analytics"], Names);
        // As many as fit.
        Discover("one", many[2..]);
        Assert.Equal(RouterConfiguration.MostHosts, Names.Count());
    }

    [Fact]
    public void The_leader_that_a_source_names_is_known_before_its_hosts_are()
    {
        List<(int Hosts, int Leaders)> seen = [];
        _hosts.Store.Changed += (_, after) => seen.Add((after.Hosts.Length, after.Leaders.ByEndpoint.Count));
        Discover("one", new DiscoveredHost("10.0.0.1", 5432) { IsPrimary = true }, new DiscoveredHost("10.0.0.7", 5432));
        Assert.Equal([(2, 1), (3, 1)], seen.Take(2));
        Assert.Equal("10.0.0.1:5432", _hosts.Store.Current.Leaders.ByEndpoint["10.0.0.7:5432"].Endpoint);
    }

    [Fact]
    public void The_same_answer_again_changes_nothing()
    {
        Discover("one", new DiscoveredHost("10.0.0.7", 5432));
        var before = _hosts.Store.Current.Hosts.Select(host => host.Configuration).ToList();
        Discover("one", new DiscoveredHost("10.0.0.7", 5432));
        Assert.Equal(before, _hosts.Store.Current.Hosts.Select(host => host.Configuration));
        Assert.Equal((1L, 0L, 0L), (_hosts.Counters[RouterEvent.HostAdded], _hosts.Counters[RouterEvent.HostReassigned], _hosts.Counters[RouterEvent.HostReconnected]));
    }

    [Fact]
    public void A_host_that_returns_is_a_new_one_beside_its_former_connections()
    {
        Discover("one", new DiscoveredHost("10.0.0.7", 5432));
        var former = _hosts.Snapshot("10.0.0.7").Configuration;
        Discover("one", new DiscoveredHost("10.0.0.8", 5432));
        _hosts.Advance(1);
        Discover("one", new DiscoveredHost("10.0.0.7", 5432));
        var present = _hosts.Snapshot("10.0.0.7").Configuration;
        Assert.False(present.IsSameMember(former));
        Assert.Contains(_hosts.Registry.All, pools => pools.Host.IsSameMember(former));
        Assert.Contains(_hosts.Registry.All, pools => pools.Host.IsSameMember(present));
    }
}
