using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Hosts;

public class ReplicationLagTests
{
    private static TestTopology Two() => new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));

    [Fact]
    public void On_an_idle_primary_the_lag_stays_zero_and_replicas_keep_serving()
    {
        var topology = Two();
        for (var second = 0; second < 600; second++)
        {
            topology.Advance(1).Answer("primary", Primary(100)).Answer("analytics", Replica(100));
            Assert.Equal(TimeSpan.Zero, topology["analytics"].Lag);
            Assert.Equal("analytics", topology.Candidates(DatabaseOperation.Read).Hosts);
        }
    }

    [Fact]
    public void A_replica_with_broken_streaming_lags_although_it_replayed_all_it_received()
    {
        var topology = Two();
        for (var second = 1; second <= 5; second++) topology.Advance(1).Answer("primary", Primary(100 + (ulong)second)).Answer("analytics", Replica(100, timeline: null));
        Assert.Equal(5, topology["analytics"].Lag!.Value.TotalSeconds, 3);
        topology.Advance(1).Answer("primary", Primary(200)).Answer("analytics", Replica(100, timeline: null));
        Assert.Equal(HostState.Lagging, topology["analytics"].State);
        Assert.Equal(100, topology["analytics"].LagBytes);
        Assert.Equal(("primary", Verdict.Lagging), topology.Candidates(DatabaseOperation.Read));
    }

    [Fact]
    public void The_time_between_two_probes_is_not_reported_as_lag()
    {
        var topology = Two();
        topology.Advance(0.9).Answer("analytics", Replica(100));
        topology.Advance(0.1).Answer("primary", Primary(200));
        Assert.Equal((TimeSpan.Zero, (long?)0), (topology["analytics"].Lag!.Value, topology["analytics"].LagBytes));
        topology.Advance(0.5).Answer("analytics", Replica(150));
        Assert.Equal(1, topology["analytics"].Lag!.Value.TotalSeconds, 3);   // 150 was written half a second before the primary's sample
    }

    [Fact]
    public void The_proven_lag_starts_when_the_primary_was_first_seen_ahead()
    {
        var topology = Two().Advance(1).Answer("primary", Primary(200)).Advance(0.02).Answer("analytics", Replica(100));
        bool Is(int milliseconds) => topology.Current.IsKnownToLagBy(topology["analytics"], TimeSpan.FromMilliseconds(milliseconds), topology.Time);
        Assert.True(Is(10));
        Assert.False(Is(50));
        // Time alone proves no lag; the last answer must have been behind.
        topology.Advance(1);
        Assert.False(Is(50));
        topology.Answer("analytics", Replica(100));
        Assert.True(Is(50));
        topology.Answer("analytics", Replica(200));
        Assert.False(Is(0));
    }

    [Fact]
    public void A_replica_that_catches_up_serves_again_after_its_next_probe()
    {
        var topology = Two();
        for (var second = 1; second <= 9; second++) topology.Advance(1).Answer("primary", Primary(100 + (ulong)second)).Answer("analytics", Replica(100));
        Assert.Equal(HostState.Lagging, topology["analytics"].State);
        Assert.Equal(HostState.Healthy, topology.Answer("analytics", Replica(109))["analytics"].State);
        Assert.Equal("analytics", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void A_replica_with_unknown_lag_has_its_own_state_and_does_not_serve_H4()
    {
        var topology = new TestTopology("primary", "analytics").Answer("analytics", Replica(100)).Answer("primary", Primary(200));
        Assert.Equal(HostState.LagUnknown, topology["analytics"].State);
        Assert.Null(topology["analytics"].Lag);
        Assert.Equal(("primary", Verdict.LagUnknown), topology.Candidates(DatabaseOperation.Read));
    }

    [Fact]
    public void A_standby_that_has_replayed_nothing_has_unknown_lag() =>
        Assert.Equal(HostState.LagUnknown, Two().Advance(1).Answer("analytics", Replica(100) with { ReplayLsn = null })["analytics"].State);

    [Fact]
    public void Without_a_primary_replicas_that_replayed_everything_keep_serving()
    {
        var topology = Two();
        topology.Fail("primary", FailureKind.Unreachable);
        for (var second = 0; second < 600; second++)
        {
            topology.Advance(1).Fail("primary", FailureKind.Unreachable).Answer("analytics", Replica(100));
            Assert.Equal("analytics", topology.Candidates(DatabaseOperation.Read).Hosts);
        }
    }

    [Fact]
    public void Without_an_answering_primary_a_replica_behind_the_others_does_not_serve()
    {
        var topology = new TestTopology("primary", "analytics", "background").Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));
        for (var second = 1; second <= 7; second++)
        {
            topology.Advance(1).Fail("primary", FailureKind.Timeout).Answer("analytics", Replica(100 + (ulong)second)).Answer("background", Replica(100, received: 100));
        }

        Assert.Equal("analytics", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void Positions_of_the_old_timeline_are_not_compared_after_a_promotion_H3()
    {
        var topology = new TestTopology("primary", "analytics", "background").Answer("primary", Primary(9000)).Answer("analytics", Replica(500)).Answer("background", Replica(500));
        topology.Advance(1).Fail("primary", FailureKind.Unreachable).Answer("background", Replica(500, timeline: 2)).Answer("analytics", Primary(520, timeline: 2));
        topology.Advance(1).Answer("background", Replica(520, timeline: 2));
        Assert.Equal(TimeSpan.Zero, topology["background"].Lag);
        Assert.Equal(HostState.OldTimeline, topology.Advance(1).Answer("background", Replica(9000, timeline: 1))["background"].State);
    }

    [Fact]
    public void A_host_is_settled_only_once_its_lag_is_known_or_was_probed_often_enough()
    {
        var topology = new TestTopology("primary", "analytics").Answer("analytics", Replica(100)).Answer("primary", Primary(200));
        Assert.False(topology.Current.IsSettled);
        Assert.True(topology.Answer("analytics", Replica(200)).Current.IsSettled);
    }

    /// <summary>Such a standby can be as far as the new primary or further, but its positions belong to another history.</summary>
    [Theory]
    [InlineData(200UL, HostState.OldTimeline)]
    [InlineData(150UL, HostState.Healthy)]
    public void A_standby_beyond_the_fork_of_a_promotion_serves_no_reads_T26_I6(ulong replayed, HostState state)
    {
        var topology = new TestTopology("primary", "analytics", "background").Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));
        topology.Fail("primary", FailureKind.Unreachable).Answer("background", Primary(150, timeline: 2) with { ReplayLsn = 150 });
        topology.Advance(0.1).Answer("analytics", Replica(replayed, timeline: null) with { ReplayTimeline = 1 });
        Assert.Equal(state, topology["analytics"].State);
    }

    [Fact]
    public void Without_a_primary_the_positions_of_another_clusters_standby_do_not_count()
    {
        var topology = new TestTopology("primary", "analytics", "background").Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));
        topology.Fail("primary", FailureKind.Unreachable).Advance(1).Answer("background", Replica(9000, cluster: 42)).Answer("analytics", Replica(100));
        Assert.Equal((HostState.ForeignCluster, 100UL), (topology["background"].State, topology.Current.Wal.NewestLsn));
        Assert.Equal((TimeSpan.Zero, 0L), (topology["analytics"].Lag, topology["analytics"].LagBytes));
    }
}
