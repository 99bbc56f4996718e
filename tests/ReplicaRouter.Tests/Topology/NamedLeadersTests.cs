using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Topology;

/// <summary>What a source says of roles, where what is observed contradicts it.</summary>
public class NamedLeadersTests
{
    // By address: primary, analytics, background.
    private static TestTopology Named(string leader) => Say(new TestTopology("primary", "analytics", "background").Advance(1), leader);

    private static TestTopology Say(TestTopology topology, string leader)
    {
        IReadOnlyList<DiscoveredHost> hosts = [.. Enumerable.Range(1, 3).Select(i => new DiscoveredHost($"10.0.0.{i}", 5432) { IsPrimary = $"10.0.0.{i}" == leader })];
        return topology.Change(current => current.WithLeaders(NamedLeaders.Of([(hosts, topology.Time.GetTimestamp())]), topology.Time));
    }

    [Fact]
    [Trait("Failure", "C3")]
    public void A_clone_that_its_source_calls_a_replica_gets_no_writes_while_the_source_s_primary_is_well()
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
    public void A_leader_on_a_timeline_that_promotions_do_not_explain_gets_no_writes_and_takes_none_away(int timeline)
    {
        var topology = Named("10.0.0.2").Answer("primary", Primary(500)).Answer("background", Replica(500)).Answer("analytics", Primary(400, timeline));
        Assert.Equal(("primary", 1, HostState.Misconfigured), (topology.Current.Primary?.Name, topology.Current.Timeline, topology["analytics"].State));
        Assert.Equal(HostState.Healthy, topology["background"].State);
    }

    [Theory]
    [InlineData(FailureKind.Unreachable)]
    [InlineData(FailureKind.Hung)]
    internal void Where_the_source_is_late_the_new_primary_is_followed_as_soon_as_the_old_one_is_not_well(FailureKind failure)
    {
        var topology = Named("10.0.0.1").Answer("primary", Primary(500)).Fail("primary", failure).Answer("analytics", Primary(500, timeline: 2));
        Assert.Equal("analytics", topology.Current.Primary?.Name);
        // And when the old one is in recovery by now.
        Assert.Equal("analytics", topology.Answer("primary", Replica(500, 2)).Current.Primary?.Name);
    }

    [Fact]
    public void The_source_s_new_word_holds_at_once()
    {
        var topology = Named("10.0.0.1").Answer("primary", Primary(500)).Answer("analytics", Primary(400, timeline: 2));
        Assert.Equal("primary", topology.Current.Primary?.Name);
        Say(topology, "10.0.0.2");
        Assert.Equal(("analytics", HostState.Fenced), (topology.Current.Primary?.Name, topology["primary"].State));
    }

    // It was frozen, another one was promoted, and the source was asked before that.
    [Fact]
    public void An_old_primary_that_was_out_gets_no_writes_back_by_a_source_that_was_asked_before()
    {
        var topology = Named("10.0.0.1").Answer("primary", Primary(500)).Advance(1).Fail("primary", FailureKind.Hung).Answer("analytics", Primary(400, timeline: 2));
        topology.Advance(1).Answer("primary", Primary(900));
        Assert.Equal(("analytics", HostState.Fenced), (topology.Current.Primary?.Name, topology["primary"].State));
        // The router asks it again at once.
        Assert.Equal(topology["analytics"].Configuration.Bit, topology.Current.Belief.Contradicted);
        Say(topology, "10.0.0.1");
        Assert.Equal("primary", topology.Current.Primary?.Name);
    }

    [Fact]
    public void A_source_that_names_no_primary_has_no_say_in_it()
    {
        var topology = Named("nobody").Answer("primary", Primary(500)).Answer("analytics", Primary(500, timeline: 2));
        Assert.Equal("analytics", topology.Current.Primary?.Name);
    }

    [Fact]
    public void What_an_operator_accepted_counts_more_than_a_source()
    {
        var topology = Named("10.0.0.1").Answer("primary", Primary(500)).Answer("analytics", Primary(500, timeline: 2));
        topology.Change(current => current.WithAccepted(topology["analytics"], topology.Time));
        Assert.Equal("analytics", topology.Current.Primary?.Name);
    }
}
