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
    public void The_highest_timeline_wins_and_fences_the_old_primary_at_any_position()
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
    public void A_replica_on_a_higher_timeline_fences_the_old_primary_before_the_new_appears_S7()
    {
        var topology = new TestTopology("primary", "analytics", "background")
            .Answer("primary", Primary(100)).Answer("background", Replica(100, timeline: 2));
        Assert.Null(topology.Current.Primary);
        Assert.Equal(HostState.Fenced, topology["primary"].State);
    }

    [Fact]
    public void Two_primaries_on_one_timeline_get_no_writes_in_any_order_of_answers()
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
    public void Two_names_of_one_server_are_not_a_split_brain()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Primary(100));
        Assert.Equal("primary", topology.Current.Primary?.Name);
        Assert.Contains("name the same server", Assert.Single(Misconfiguration.Find(topology.Current)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_of_another_cluster_is_rejected()
    {
        var topology = new TestTopology("primary", "analytics").Answer("analytics", Replica(100, cluster: 42)).Answer("primary", Primary(100));
        Assert.Equal(HostState.ForeignCluster, topology["analytics"].State);
        Assert.Contains("another cluster", topology["analytics"].Error, StringComparison.Ordinal);
        Assert.Contains("another cluster", Assert.Single(Misconfiguration.Find(topology.Current)), StringComparison.Ordinal);
    }

    [Fact]
    public void One_missed_probe_makes_a_host_suspect_and_two_make_it_hung()
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
    public void An_answer_updates_the_position_even_after_a_later_failure()
    {
        var topology = new TestTopology("primary").Answer("primary", Primary(100));
        var sent = topology.Advance(1).Time.GetTimestamp();
        topology.Advance(0.1).Fail("primary", FailureKind.Full);
        topology.Change(current => current.With(new HostObservation(0, sent, topology.Time.GetTimestamp(), Primary(200), null), topology.Time));
        Assert.Equal((HostState.Full, 200UL), (topology["primary"].State, topology.Current.Wal.NewestLsn));
    }

    [Fact]
    public void An_unresolved_name_is_misconfigured_unless_it_has_resolved_before_T9_S22()
    {
        var topology = new TestTopology("primary").Fail("primary", FailureKind.NameUnknown);
        Assert.Equal(HostState.Misconfigured, topology["primary"].State);
        Assert.Equal(HostState.Down, topology.Answer("primary", Primary(100)).Fail("primary", FailureKind.NameUnknown)["primary"].State);
    }

    [Fact]
    public void A_probe_error_unrelated_to_the_host_makes_it_suspect_only() =>
        Assert.Equal(HostState.Suspect, new TestTopology("primary").Answer("primary", Primary(100)).Fail("primary", FailureKind.None)["primary"].State);

    [Fact]
    public void An_observation_that_is_not_renewed_expires()
    {
        var topology = new TestTopology("primary").Answer("primary", Primary(100));
        Assert.Equal("primary", topology.Advance(4.9).Candidates(DatabaseOperation.Write).Hosts);
        Assert.Empty(topology.Advance(0.2).Candidates(DatabaseOperation.Write).Hosts);
        Assert.Equal(HostState.Unknown, topology["primary"].StateAt(topology.Time.GetTimestamp()));
    }

    [Fact]
    public void Two_primaries_are_judged_alike_in_any_order_of_answers_T2_S24()
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
    public void A_frozen_primary_gets_no_writes_after_a_while_or_after_a_promotion_T1()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));
        Assert.Equal("", topology.Advance(6).Candidates(DatabaseOperation.Write).Hosts);
        topology.Answer("primary", Primary(100)).Answer("analytics", Primary(100, timeline: 2) with { StartedAt = 9 });
        Assert.Equal("analytics", topology.Candidates(DatabaseOperation.Write).Hosts);
        Assert.Equal("analytics", topology.Advance(1).Answer("primary", Primary(900)).Candidates(DatabaseOperation.Write).Hosts);
        Assert.Equal("analytics", topology.Advance(1).Answer("primary", Replica(100, timeline: 2)).Candidates(DatabaseOperation.Write).Hosts);
    }

    [Fact]
    public void A_host_that_accepts_no_logins_keeps_serving_open_connections_S4_S17_T10()
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
    public void A_refused_login_is_ignored_once_a_later_login_has_succeeded()
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
    public void A_login_terminated_by_a_shutdown_marks_the_host_as_restarting(string sqlState)
    {
        var kind = FailureClassifier.Classify(new Npgsql.PostgresException("", "FATAL", "FATAL", sqlState), FailureSite.Opening);
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));
        Assert.Equal(HostState.Restarting, topology.Advance(1).Fail("analytics", kind)["analytics"].State);
    }

    [Fact]
    public void An_answer_older_than_the_last_one_changes_nothing()
    {
        var topology = new TestTopology("primary");
        var early = topology.Time.GetTimestamp();
        topology.Advance(1).Answer("primary", Primary(200));
        var before = topology.Current;
        Assert.Same(before, topology.Advance(0.1).Answer("primary", Primary(100), early).Current);
    }

    [Fact]
    public void A_late_answer_does_not_restart_the_count_of_missed_probes()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));
        var early = topology.Advance(1).Time.GetTimestamp();
        topology.Advance(0.1).Fail("analytics", FailureKind.Timeout).Answer("analytics", Replica(100), early);
        Assert.Equal(HostState.Suspect, topology["analytics"].State);
        Assert.Equal(HostState.Hung, topology.Advance(1).Fail("analytics", FailureKind.Timeout)["analytics"].State);
    }

    [Fact]
    public void What_a_replica_has_provably_replayed_counts_only_on_the_clusters_timeline()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100, timeline: 2));
        ulong ReplayedWith(HostAnswer answer) => topology.Advance(0.1).Answer("analytics", answer).Current.ReplayedBy(topology["analytics"]);
        Assert.Equal(90UL, ReplayedWith(Replica(90, timeline: 2)));
        Assert.Equal(0UL, ReplayedWith(Replica(90, timeline: 2) with { ReplayLsn = null }));
        var hidden = Replica(90, timeline: null) with { ReplayTimeline = 2, IsTimelineHidden = true };
        Assert.Equal(90UL, ReplayedWith(hidden));
        // A primary that does not answer may have been replaced, and the standby may follow the next one.
        topology.Fail("primary", FailureKind.Timeout);
        Assert.Equal((0UL, 90UL), (ReplayedWith(hidden), ReplayedWith(Replica(90, timeline: 2))));
        Assert.Equal(0UL, ReplayedWith(Replica(90, timeline: 1)));
    }

    [Theory]
    [InlineData(2, 90UL, true)]
    [InlineData(2, 91UL, false)]
    [InlineData(1, 90UL, true)]
    [InlineData(3, 10UL, false)]
    [InlineData(3, 0UL, true)]
    public void A_replica_reaches_a_position_up_to_which_it_has_replayed_the_clusters_history(int timeline, ulong lsn, bool isReached)
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100, timeline: 2)).Answer("analytics", Replica(90, timeline: 2));
        Assert.Equal(isReached, topology.Current.Reaches(topology["analytics"], new WalPosition(Cluster, timeline, lsn)));
    }

    [Fact]
    public void The_error_of_a_split_brain_counts_servers_and_not_their_names()
    {
        var topology = new TestTopology("primary", "analytics", "background", "dr").Answer("primary", Primary(100)).Answer("analytics", Primary(100))
            .Answer("background", Primary(100) with { StartedAt = 7 }).Answer("dr", Replica(100));
        Assert.StartsWith("2 servers take writes on timeline 1", topology["analytics"].Error, StringComparison.Ordinal);
        Assert.Equal(HostState.Healthy, topology["dr"].State);
    }

    [Fact]
    public void A_promotion_in_another_cluster_is_no_part_of_the_history()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100));
        foreach (var cluster in new[] { 42UL, Cluster })
        {
            topology.Advance(1).Answer("analytics", Replica(90, cluster: cluster)).Advance(1).Answer("analytics", Primary(95, timeline: 2, cluster: cluster) with { ReplayLsn = 90, StartedAt = 1 });
            Assert.Equal(cluster == Cluster ? 90UL : (ulong?)null, topology.Current.History.EndOf(1));
        }
    }
}
