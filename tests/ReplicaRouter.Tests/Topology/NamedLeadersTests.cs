using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Topology;

/// <summary>Roles named by a discovery source that contradict the observed ones.</summary>
public class NamedLeadersTests
{
    // The addresses 10.0.0.1 to 10.0.0.3 are primary, analytics and background.
    private static TestTopology Named(string leader) => Say(new TestTopology("primary", "analytics", "background").Advance(1), leader);

    private static TestTopology Say(TestTopology topology, string leader)
    {
        IReadOnlyList<DiscoveredHost> hosts = [.. Enumerable.Range(1, 3).Select(i => new DiscoveredHost($"10.0.0.{i}", 5432) { IsPrimary = $"10.0.0.{i}" == leader })];
        return topology.Change(current => current.WithLeaders(NamedLeaders.Of([(hosts, topology.Time.GetTimestamp())]), topology.Time));
    }

    [Fact]
    [Trait("Failure", "C3")]
    public void A_promoted_clone_named_a_replica_gets_no_writes_while_the_leader_is_healthy()
    {
        var topology = Named("10.0.0.1").Answer("primary", Primary(500)).Answer("background", Replica(500)).Answer("analytics", Primary(400, timeline: 2));
        Assert.Equal(("primary", 1, HostState.Fenced), (topology.Current.Primary?.Name, topology.Current.Timeline, topology["analytics"].State));
        Assert.Contains("its source calls it a replica of 10.0.0.1:5432", topology["analytics"].Error, StringComparison.Ordinal);
        Assert.Equal("background", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Theory]
    [Trait("Failure", "C3")]
    [InlineData(61)]
    [InlineData(int.MaxValue)]
    public void A_named_leader_on_an_unexplained_timeline_gets_no_writes_and_fences_no_host(int timeline)
    {
        var topology = Named("10.0.0.2").Answer("primary", Primary(500)).Answer("background", Replica(500)).Answer("analytics", Primary(400, timeline));
        Assert.Equal(("primary", 1, HostState.Misconfigured), (topology.Current.Primary?.Name, topology.Current.Timeline, topology["analytics"].State));
        Assert.Equal(HostState.Healthy, topology["background"].State);
    }

    [Theory]
    [InlineData(FailureKind.Unreachable)]
    [InlineData(FailureKind.Hung)]
    internal void With_a_stale_source_the_new_primary_is_followed_once_the_old_one_fails(FailureKind failure)
    {
        var topology = Named("10.0.0.1").Answer("primary", Primary(500)).Fail("primary", failure).Answer("analytics", Primary(500, timeline: 2));
        Assert.Equal("analytics", topology.Current.Primary?.Name);
        // It stays so when the old primary is in recovery.
        Assert.Equal("analytics", topology.Answer("primary", Replica(500, 2)).Current.Primary?.Name);
    }

    [Fact]
    public void A_new_answer_of_the_source_applies_at_once()
    {
        var topology = Named("10.0.0.1").Answer("primary", Primary(500)).Answer("analytics", Primary(400, timeline: 2));
        Assert.Equal("primary", topology.Current.Primary?.Name);
        Say(topology, "10.0.0.2");
        Assert.Equal(("analytics", HostState.Fenced), (topology.Current.Primary?.Name, topology["primary"].State));
    }

    // The old primary was frozen and another host was promoted; the source's answer is older than the promotion.
    [Fact]
    public void A_stale_source_does_not_give_writes_back_to_a_returning_old_primary()
    {
        var topology = Named("10.0.0.1").Answer("primary", Primary(500)).Advance(1).Fail("primary", FailureKind.Hung).Answer("analytics", Primary(400, timeline: 2));
        topology.Advance(1).Answer("primary", Primary(900));
        Assert.Equal(("analytics", HostState.Fenced), (topology.Current.Primary?.Name, topology["primary"].State));
        // The contradiction makes the router ask the source again at once.
        Assert.Equal(topology["analytics"].Configuration.Bit, topology.Current.Belief.Contradicted);
        Say(topology, "10.0.0.1");
        Assert.Equal("primary", topology.Current.Primary?.Name);
    }

    [Fact]
    public void A_source_that_names_no_primary_has_no_influence()
    {
        var topology = Named("nobody").Answer("primary", Primary(500)).Answer("analytics", Primary(500, timeline: 2));
        Assert.Equal("analytics", topology.Current.Primary?.Name);
    }

    [Fact]
    public void An_operators_acceptance_overrides_a_source()
    {
        var topology = Named("10.0.0.1").Answer("primary", Primary(500)).Answer("analytics", Primary(500, timeline: 2));
        topology.Change(current => current.WithAccepted(topology["analytics"], topology.Time));
        Assert.Equal("analytics", topology.Current.Primary?.Name);
    }

    [Fact]
    [Trait("Failure", "C3")]
    public void A_promoted_clone_gets_no_writes_under_an_address_that_the_source_does_not_name_either()
    {
        var clone = Primary(400, timeline: 2);
        var topology = Say(new TestTopology("primary", "analytics", "background", "dr").Advance(1), "10.0.0.1")
            .Answer("primary", Primary(500)).Answer("dr", clone).Answer("analytics", clone);
        Assert.Equal(("primary", HostState.Fenced, HostState.Fenced), (topology.Current.Primary?.Name, topology["analytics"].State, topology["dr"].State));
    }

    [Fact]
    public void A_primary_is_not_fenced_because_a_source_knows_it_by_another_address()
    {
        var topology = Named("10.0.0.2").Answer("primary", Primary(500)).Answer("analytics", Primary(500));
        Assert.Equal((HostState.Healthy, HostState.Healthy), (topology["primary"].State, topology["analytics"].State));
        Assert.Equal("primary", topology.Current.Primary?.Name);
    }

    [Fact]
    [Trait("Failure", "C3")]
    public void A_leader_that_misses_one_probe_is_still_the_leader()
    {
        var topology = Named("10.0.0.1").Answer("primary", Primary(500)).Advance(1).Fail("primary", FailureKind.Timeout).Answer("analytics", Primary(400, timeline: 2));
        Assert.Equal(("primary", HostState.Fenced), (topology.Current.Primary?.Name, topology["analytics"].State));
    }

    [Fact]
    public void A_leader_is_named_for_each_replica_whatever_the_case_of_its_address()
    {
        IReadOnlyList<DiscoveredHost> hosts = [new("PG-1.internal", 5432) { IsPrimary = true }, new("PG-2.internal", 5432)];
        var leaders = NamedLeaders.Of([(hosts, 7)]).ByEndpoint;
        Assert.Single(leaders);
        Assert.Equal(new NamedLeader("PG-1.internal:5432", 7), leaders["pg-2.Internal:5432"]);
    }

    [Fact]
    public void An_answer_that_names_two_primaries_names_no_leader()
    {
        IReadOnlyList<DiscoveredHost> hosts = [new("10.0.0.1", 5432) { IsPrimary = true }, new("10.0.0.2", 5432) { IsPrimary = true }, new("10.0.0.3", 5432)];
        Assert.Empty(NamedLeaders.Of([(hosts, 7)]).ByEndpoint);
    }
}
