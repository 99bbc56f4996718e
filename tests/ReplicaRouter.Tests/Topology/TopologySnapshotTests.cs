using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Topology;

public class TopologySnapshotTests
{
    [Fact]
    public void The_primary_is_observed_and_not_configured_H11_H39()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Replica(100)).Answer("analytics", Primary(100));
        Assert.Equal("analytics", topology.Current.Primary?.Name);
        Assert.Equal(HostRole.Replica, topology["primary"].Role);
    }

    [Fact]
    public void The_highest_timeline_wins_and_the_old_primary_is_fenced_whatever_its_position()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(5000, timeline: 1)).Answer("analytics", Primary(900, timeline: 2));
        Assert.Equal("analytics", topology.Current.Primary?.Name);
        Assert.Equal(HostState.Fenced, topology["primary"].State);
        topology.Answer("primary", Primary(9000, timeline: 1));
        Assert.Equal("analytics", topology.Current.Primary?.Name);
        topology.Fail("analytics", FailureKind.Unreachable);
        Assert.Null(topology.Current.Primary);
        Assert.Empty(topology.Candidates(DatabaseOperation.Write).Hosts);
    }

    [Fact]
    public void A_replica_that_follows_a_higher_timeline_fences_the_old_primary_before_the_new_one_is_seen_S7()
    {
        var topology = new TestTopology("primary", "analytics", "background")
            .Answer("primary", Primary(100)).Answer("background", Replica(100, timeline: 2));
        Assert.Null(topology.Current.Primary);
        Assert.Equal(HostState.Fenced, topology["primary"].State);
    }

    [Fact]
    public void Two_primaries_on_one_timeline_get_no_writes_in_whatever_order_they_answer()
    {
        foreach (var order in new[] { new[] { "primary", "analytics" }, ["analytics", "primary"] })
        {
            var topology = new TestTopology("primary", "analytics");
            foreach (var host in order) topology.Answer(host, Primary(100) with { StartedAt = host.Length });
            Assert.Null(topology.Current.Primary);
            Assert.All(topology.Current.Hosts, host => Assert.Equal(HostState.SplitBrain, host.State));
        }
    }

    [Fact]
    public void Two_names_of_one_server_are_no_split_brain()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Primary(100));
        Assert.Equal("primary", topology.Current.Primary?.Name);
        Assert.Contains("name the same server", Assert.Single(Misconfiguration.Find(topology.Current)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_of_another_cluster_is_refused()
    {
        var topology = new TestTopology("primary", "analytics").Answer("analytics", Replica(100, cluster: 42)).Answer("primary", Primary(100));
        Assert.Equal(HostState.ForeignCluster, topology["analytics"].State);
        Assert.Contains("another cluster", topology["analytics"].Error, StringComparison.Ordinal);
        Assert.Contains("another cluster", Assert.Single(Misconfiguration.Find(topology.Current)), StringComparison.Ordinal);
    }

    [Fact]
    public void One_missed_probe_makes_a_suspect_and_two_take_it_out()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));
        Assert.Equal(HostState.Suspect, topology.Fail("analytics", FailureKind.Timeout)["analytics"].State);
        Assert.Equal(HostState.Hung, topology.Advance(1).Fail("analytics", FailureKind.Timeout)["analytics"].State);
        Assert.Equal(HostState.Recovering, topology.Advance(1).Answer("analytics", Replica(100))["analytics"].State);
        Assert.Equal(HostState.Healthy, topology.Advance(1).Answer("analytics", Replica(100))["analytics"].State);
    }

    [Theory]
    [InlineData(FailureKind.Unreachable, HostState.Down)]
    [InlineData(FailureKind.Restarting, HostState.Restarting)]
    [InlineData(FailureKind.Misconfigured, HostState.Misconfigured)]
    [InlineData(FailureKind.Full, HostState.Full)]
    [InlineData(FailureKind.Hung, HostState.Hung)]
    internal void Each_failure_has_its_state(FailureKind failure, HostState state)
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Fail("analytics", failure);
        Assert.Equal(state, topology["analytics"].State);
    }

    [Fact]
    public void An_older_failure_does_not_undo_a_newer_answer()
    {
        var topology = new TestTopology("primary").Answer("primary", Primary(100));
        var before = topology.Time.GetTimestamp();
        topology.Advance(1).Answer("primary", Primary(200));
        topology.Change(current => current.With(new HostObservation(0, before, before, null, new HostFailure(FailureKind.Unreachable, "late")), topology.Time));
        Assert.Equal(HostState.Healthy, topology["primary"].State);
    }

    [Fact]
    public void An_answer_brings_its_position_even_when_a_later_failure_was_reported_first()
    {
        var topology = new TestTopology("primary").Answer("primary", Primary(100));
        var sent = topology.Advance(1).Time.GetTimestamp();
        topology.Advance(0.1).Fail("primary", FailureKind.Full);
        topology.Change(current => current.With(new HostObservation(0, sent, topology.Time.GetTimestamp(), Primary(200), null), topology.Time));
        Assert.Equal((HostState.Full, 200UL), (topology["primary"].State, topology.Current.Wal.NewestLsn));
    }

    [Fact]
    public void A_name_that_never_resolved_is_misspelt_and_one_that_did_is_a_server_that_is_down_T9_S22()
    {
        var topology = new TestTopology("primary").Fail("primary", FailureKind.NameUnknown);
        Assert.Equal(HostState.Misconfigured, topology["primary"].State);
        Assert.Equal(HostState.Down, topology.Answer("primary", Primary(100)).Fail("primary", FailureKind.NameUnknown)["primary"].State);
    }

    [Fact]
    public void A_probe_that_fails_for_a_reason_of_its_own_does_not_take_a_host_out_at_once() =>
        Assert.Equal(HostState.Suspect, new TestTopology("primary").Answer("primary", Primary(100)).Fail("primary", FailureKind.None)["primary"].State);

    [Fact]
    public void An_observation_that_is_not_renewed_counts_as_unknown()
    {
        var topology = new TestTopology("primary").Answer("primary", Primary(100));
        Assert.Equal("primary", topology.Advance(4.9).Candidates(DatabaseOperation.Write).Hosts);
        Assert.Empty(topology.Advance(0.2).Candidates(DatabaseOperation.Write).Hosts);
        Assert.Equal(HostState.Unknown, topology["primary"].StateAt(topology.Time.GetTimestamp()));
    }

    [Fact]
    public void However_answers_are_shuffled_two_primaries_are_told_alike_and_once_T2_S24()
    {
        var random = new Random(1);
        for (var round = 0; round < 10_000; round++)
        {
            var isTie = round % 2 == 0;
            var topology = new TestTopology("primary", "analytics", "background");
            (string Host, HostAnswer Answer)[] answers =
            [
                ("primary", Primary(500) with { StartedAt = 1 }), ("primary", Primary(600) with { StartedAt = 1 }),
                ("analytics", Primary(300, timeline: isTie ? 1 : 2) with { StartedAt = 2 }), ("background", Replica(300)),
            ];
            random.Shuffle(answers);
            foreach (var (host, answer) in answers) topology.Answer(host, answer);
            Assert.Equal(isTie ? null : "analytics", topology.Current.Primary?.Name);
            Assert.Equal(isTie ? HostState.SplitBrain : HostState.Fenced, topology["primary"].State);
        }
    }

    [Fact]
    public void A_primary_whose_probes_freeze_gets_no_writes_after_a_while_and_none_once_another_is_promoted_T1()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));
        Assert.Equal("", topology.Advance(6).Candidates(DatabaseOperation.Write).Hosts);
        topology.Answer("primary", Primary(100)).Answer("analytics", Primary(100, timeline: 2) with { StartedAt = 9 });
        Assert.Equal("analytics", topology.Candidates(DatabaseOperation.Write).Hosts);
        Assert.Equal("analytics", topology.Advance(1).Answer("primary", Primary(900)).Candidates(DatabaseOperation.Write).Hosts);
        Assert.Equal("analytics", topology.Advance(1).Answer("primary", Replica(100, timeline: 2)).Candidates(DatabaseOperation.Write).Hosts);
    }

    [Fact]
    public void Where_nobody_can_log_in_open_connections_go_on_serving_S4_S17_T10()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));
        topology.Change(current => current.WithLogin(1, new HostFailure(FailureKind.Full, "53300"), topology.Time.GetTimestamp(), topology.Time));
        Assert.Equal(HostState.Full, topology["analytics"].State);
        Assert.Equal("analytics", topology.Candidates(DatabaseOperation.Read).Hosts);
        topology.Change(current => current.WithLogin(1, new HostFailure(FailureKind.Timeout, "no answer"), topology.Time.GetTimestamp(), topology.Time));
        Assert.Equal(HostState.NoLogins, topology.Advance(1).Answer("analytics", Replica(100))["analytics"].State);
        topology.Change(current => current.WithLogin(1, null, topology.Time.GetTimestamp(), topology.Time));
        Assert.Equal(HostState.Healthy, topology["analytics"].State);
    }

    [Fact]
    [Trait("Failure", "B7")]
    public void A_refused_login_says_nothing_once_a_login_that_began_later_has_succeeded()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));
        var (full, early) = (new HostFailure(FailureKind.Full, "53300"), topology.Time.GetTimestamp());
        var late = topology.Advance(0.1).Time.GetTimestamp();
        topology.Change(current => current.WithLogin(1, null, late, topology.Time)).Change(current => current.WithLogin(1, full, early, topology.Time));
        Assert.Equal(HostState.Healthy, topology["analytics"].State);
        var latest = topology.Advance(0.1).Time.GetTimestamp();
        topology.Change(current => current.WithLogin(1, full, latest, topology.Time)).Change(current => current.WithLogin(1, null, late, topology.Time));
        Assert.Equal(HostState.Full, topology["analytics"].State);
    }

    [Theory]
    [InlineData("57P01")]
    [InlineData("57P02")]
    [InlineData("57P03")]
    public void A_probe_whose_login_the_server_ends_as_it_goes_down_finds_it_restarting(string sqlState)
    {
        var kind = FailureClassifier.Classify(new Npgsql.PostgresException("", "FATAL", "FATAL", sqlState), FailureSite.Opening);
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));
        Assert.Equal(HostState.Restarting, topology.Advance(1).Fail("analytics", kind)["analytics"].State);
    }
}
