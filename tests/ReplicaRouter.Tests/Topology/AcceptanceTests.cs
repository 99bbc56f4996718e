using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Topology;

/// <summary>An operator's order to accept a host's identity and timeline.</summary>
public class AcceptanceTests
{
    private static void Accept(TestTopology topology, string host) => topology.Change(current => current.WithAccepted(topology[host], topology.Time));

    private static TestTopology WithMistake() => new TestTopology("primary", "analytics", "dr")
        .Answer("primary", Primary(500)).Answer("analytics", Replica(500)).Answer("dr", Primary(400, timeline: 2));

    [Fact]
    public void Accepting_the_old_primary_fences_the_one_promoted_by_mistake()
    {
        var topology = WithMistake();
        Accept(topology, "primary");
        Assert.Equal(("primary", 1, HostState.Fenced), (topology.Current.Primary?.Name, topology.Current.Timeline, topology["dr"].State));
        Assert.Contains("an operator abandoned", topology["dr"].Error, StringComparison.Ordinal);
        // The order still holds after further answers.
        topology.Advance(60).Answer("dr", Primary(450, timeline: 2)).Answer("primary", Primary(600)).Answer("analytics", Replica(600));
        Assert.Equal(("primary", HostState.Fenced, "analytics"), (topology.Current.Primary?.Name, topology["dr"].State, topology.Candidates(DatabaseOperation.Read).Hosts));
    }

    [Fact]
    public void A_later_promotion_is_followed_even_to_the_abandoned_timeline_number()
    {
        var topology = WithMistake();
        Accept(topology, "primary");
        topology.Advance(1).Fail("primary", FailureKind.Unreachable).Answer("analytics", Primary(500, timeline: 2) with { StartedAt = 77 });
        Assert.Equal(("analytics", 2, HostState.Fenced), (topology.Current.Primary?.Name, topology.Current.Timeline, topology["dr"].State));
        Assert.Equal(HostState.Fenced, topology.Advance(1).Answer("primary", Primary(900))["primary"].State);
    }

    [Fact]
    public void An_order_ends_when_the_abandoned_host_changes()
    {
        var topology = WithMistake();
        Accept(topology, "primary");
        topology.Advance(1).Answer("primary", Primary(500)).Answer("dr", Replica(500));
        Assert.Equal(HostState.Healthy, topology["dr"].State);
        // After another promotion, the host counts again.
        topology.Advance(1).Answer("dr", Primary(500, timeline: 3));
        Assert.Equal(("dr", HostState.Fenced), (topology.Current.Primary?.Name, topology["primary"].State));
    }

    /// <summary>A standby's control file can still show the timeline that it has left.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    [Trait("Failure", "A1")]
    public void Standbys_of_an_abandoned_host_stay_out_when_it_is_lost_and_when_it_returns(int? shown)
    {
        var topology = new TestTopology("primary", "analytics", "dr")
            .Answer("primary", Primary(500)).Answer("dr", Primary(400, timeline: 2)).Answer("analytics", Replica(400, timeline: 2));
        Accept(topology, "primary");
        topology.Advance(1).Answer("primary", Primary(500)).Fail("dr", FailureKind.Unreachable).Answer("analytics", Replica(400, timeline: null) with { ReplayTimeline = shown });
        Assert.Equal(("primary", HostState.OldTimeline), (topology.Current.Primary?.Name, topology["analytics"].State));
        topology.Advance(1).Answer("dr", Primary(450, timeline: 2)).Answer("analytics", Replica(450, timeline: 2)).Answer("primary", Primary(600));
        Assert.Equal(("primary", HostState.Fenced, HostState.OldTimeline), (topology.Current.Primary?.Name, topology["dr"].State, topology["analytics"].State));
        // The standby is rebuilt from the accepted primary.
        topology.Advance(1).Answer("analytics", Replica(600) with { StartedAt = 2 });
        Assert.Equal(HostState.Healthy, topology["analytics"].State);
    }

    [Fact]
    [Trait("Failure", "A1")]
    public void Disconnected_standbys_of_an_abandoned_host_are_abandoned_with_it()
    {
        var topology = new TestTopology("primary", "analytics", "dr")
            .Answer("primary", Primary(500)).Answer("dr", Primary(400, timeline: 2)).Answer("analytics", Replica(400, timeline: 2))
            .Advance(1).Fail("dr", FailureKind.Unreachable).Answer("analytics", Replica(400, timeline: null)).Answer("primary", Primary(500));
        Assert.Contains(Acceptance.Of(topology.Current, topology["primary"], topology.Time).GivenUp, sentence => sentence.StartsWith("analytics is on timeline 2", StringComparison.Ordinal));
        Accept(topology, "primary");
        topology.Advance(1).Answer("dr", Primary(450, timeline: 2)).Answer("analytics", Replica(450, timeline: 2)).Answer("primary", Primary(600));
        Assert.Equal(("primary", HostState.Fenced, HostState.OldTimeline), (topology.Current.Primary?.Name, topology["dr"].State, topology["analytics"].State));
    }

    [Fact]
    [Trait("Failure", "A1")]
    public void A_standby_that_follows_an_abandoned_host_does_not_undo_the_order()
    {
        var topology = WithMistake();
        Accept(topology, "primary");
        topology.Advance(1).Answer("primary", Primary(500)).Answer("analytics", Replica(450, timeline: 2));
        Assert.Equal(("primary", 1, HostState.OldTimeline), (topology.Current.Primary?.Name, topology.Current.Timeline, topology["analytics"].State));
    }

    [Fact]
    public void A_later_order_for_an_abandoned_host_reverses_the_earlier_one()
    {
        var topology = WithMistake();
        Accept(topology, "primary");
        Accept(topology, "dr");
        Assert.Equal(("dr", 2, HostState.Fenced), (topology.Current.Primary?.Name, topology.Current.Timeline, topology["primary"].State));
    }

    [Fact]
    public void Of_two_primaries_on_one_timeline_the_accepted_one_is_followed()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(500)).Answer("analytics", Primary(400));
        Assert.Null(topology.Current.Primary);
        Accept(topology, "analytics");
        Assert.Equal(("analytics", HostState.Fenced), (topology.Current.Primary?.Name, topology["primary"].State));
    }

    [Fact]
    public void A_host_of_another_cluster_is_accepted_with_its_identity()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(500)).Answer("analytics", Primary(90, cluster: 42));
        Accept(topology, "analytics");
        topology.Advance(5).Answer("primary", Primary(600)).Answer("analytics", Primary(95, cluster: 42));
        Assert.Equal((42UL, "analytics", HostState.ForeignCluster), (topology.Current.SystemIdentifier!.Value, topology.Current.Primary?.Name, topology["primary"].State));
    }

    [Fact]
    public void A_host_with_an_unexplained_timeline_counts_once_it_is_accepted()
    {
        var topology = new TestTopology("primary", "analytics", "dr").Answer("primary", Primary(500)).Answer("analytics", Replica(500)).Answer("dr", Primary(400, timeline: 99));
        Assert.Equal(HostState.Misconfigured, topology["dr"].State);
        Accept(topology, "dr");
        Assert.Equal(("dr", 99, HostState.Fenced), (topology.Current.Primary?.Name, topology.Current.Timeline, topology["primary"].State));
        Assert.Equal("dr", topology.Advance(1).Answer("dr", Primary(450, timeline: 99)).Current.Primary?.Name);
    }

    [Fact]
    public void A_preview_lists_what_is_abandoned_and_changes_nothing()
    {
        var topology = WithMistake();
        var before = topology.Current;
        var preview = Acceptance.Of(before, topology["primary"], topology.Time);
        Assert.Same(before, topology.Current);
        Assert.Equal((Cluster, 1, 2, "dr"), (preview.SystemIdentifier, preview.Timeline, preview.FormerTimeline, preview.FormerPrimary));
        Assert.Equal(
            ["dr is on timeline 2 and gets no traffic; writes made on that timeline are abandoned.", "Sessions that have seen the abandoned history report lost history."], preview.GivenUp);
    }

    [Fact]
    public void Sessions_that_have_seen_an_abandoned_timeline_report_lost_history()
    {
        var topology = WithMistake();
        var session = new SessionState(topology.Time);
        session.Merge(new SessionToken(new WalPosition(Cluster, 2, 390), default, false), topology.Time.GetTimestamp());
        Accept(topology, "primary");
        var demand = session.Demand(topology.Advance(1).Answer("primary", Primary(600)).Current, topology.Time.GetTimestamp());
        Assert.Equal((SessionFinding.LostHistory, 1), (demand.Finding, demand.Floor.Timeline));
    }

    [Fact]
    public void Another_name_of_the_accepted_server_is_not_abandoned()
    {
        var topology = new TestTopology("primary", "analytics", "dr").Answer("primary", Primary(500)).Answer("analytics", Primary(500)).Answer("dr", Primary(400, timeline: 2));
        Accept(topology, "primary");
        Assert.Equal((false, true), (topology["analytics"].IsRefused, topology["dr"].IsRefused));
        Assert.Equal((HostState.Healthy, HostState.Healthy), (topology["primary"].State, topology["analytics"].State));
    }

    [Fact]
    public void An_abandoned_host_that_is_down_is_shown_as_down()
    {
        var topology = WithMistake();
        Accept(topology, "primary");
        Assert.Equal((HostState.Down, "Unreachable"), (topology.Advance(1).Fail("dr", FailureKind.Unreachable)["dr"].State, topology["dr"].Error));
    }

    [Fact]
    public void A_preview_lists_the_hosts_that_would_serve_no_longer_and_says_why()
    {
        var topology = new TestTopology("primary", "analytics", "dr").Answer("primary", Primary(500)).Answer("analytics", Replica(500)).Answer("dr", Primary(400, timeline: 99));
        Assert.Collection(
            Acceptance.Of(topology.Current, topology["dr"], topology.Time).GivenUp,
            sentence => Assert.StartsWith("primary gets no traffic: 10.0.0.1:5432 takes writes on timeline 1", sentence, StringComparison.Ordinal),
            sentence => Assert.StartsWith("analytics gets no traffic: 10.0.0.2:5432 follows timeline 1", sentence, StringComparison.Ordinal));
    }

    [Fact]
    public void A_preview_lists_the_hosts_of_the_former_cluster()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(500)).Answer("analytics", Primary(90, cluster: 42));
        Assert.Equal(
            [$"primary belongs to another cluster ({Cluster}) and gets no traffic.", "Sessions that have seen the abandoned history report lost history."],
            Acceptance.Of(topology.Current, topology["analytics"], topology.Time).GivenUp);
    }

    [Fact]
    public void Accepting_the_primary_of_a_healthy_cluster_abandons_nothing()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(500)).Answer("analytics", Replica(500));
        Assert.Empty(Acceptance.Of(topology.Current, topology["primary"], topology.Time).GivenUp);
    }
}
