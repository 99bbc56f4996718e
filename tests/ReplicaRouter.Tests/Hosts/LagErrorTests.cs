using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Hosts;

/// <summary>What a replica's lag does to its state, its numbers and its error.</summary>
public class LagErrorTests
{
    private static TestTopology Two() => new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));

    private static TestTopology Lagging(TestTopology topology, int seconds = 6)
    {
        for (var second = 1; second <= seconds; second++) topology.Advance(1).Answer("primary", Primary(100 + (ulong)second));
        return topology.Answer("analytics", Replica(100));
    }

    [Fact]
    public void A_lagging_replica_shows_its_lag_and_the_limit()
    {
        var host = Lagging(Two())["analytics"];
        Assert.Equal((HostState.Lagging, "replication lag 6.0 s, limit 5.0 s", 6L), (host.State, host.Error, host.LagBytes));
    }

    [Fact]
    public void A_lag_of_exactly_the_limit_is_allowed()
    {
        var host = Lagging(Two(), seconds: 5)["analytics"];
        Assert.Equal((HostState.Healthy, null, TimeSpan.FromSeconds(5)), (host.State, host.Error, host.Lag));
    }

    [Fact]
    public void A_lagging_replica_that_is_in_doubt_stays_in_doubt()
    {
        var topology = Lagging(Two()).Fail("analytics", FailureKind.Timeout);
        Assert.Equal(HostState.Suspect, topology["analytics"].State);
        Assert.Contains("replication lag", topology["analytics"].Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_replica_that_is_down_and_a_primary_have_no_lag()
    {
        var topology = Two();
        Assert.Equal((TimeSpan.Zero, 0L), (topology["analytics"].Lag, topology["analytics"].LagBytes));
        Assert.Null(topology["primary"].Lag);
        Assert.Null(topology["primary"].FreshAt);
        topology.Fail("analytics", FailureKind.Unreachable);
        Assert.Null(topology["analytics"].Lag);
        Assert.Null(topology["analytics"].FreshAt);
        Assert.Null(topology["analytics"].LagBytes);
    }

    [Fact]
    public void The_error_of_an_unknown_lag_says_what_is_missing()
    {
        var topology = new TestTopology("primary", "analytics").Answer("analytics", Replica(100) with { ReceiveLsn = null });
        Assert.Contains("no position of a primary", topology["analytics"].Error, StringComparison.Ordinal);
        topology.Answer("primary", Primary(200));
        Assert.Contains("has not replayed any known position", topology["analytics"].Error, StringComparison.Ordinal);
        Assert.Equal(100L, topology["analytics"].LagBytes);
        topology.Answer("analytics", Replica(100) with { ReplayLsn = null });
        Assert.Contains("has replayed nothing", topology["analytics"].Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_lag_does_not_end_a_doubt()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(200)).Answer("analytics", Replica(100)).Advance(1).Fail("analytics", FailureKind.Timeout);
        Assert.Equal(HostState.Suspect, topology["analytics"].State);
    }

    [Fact]
    public void The_error_of_an_old_timeline_names_both_timelines()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100, timeline: 3)).Answer("analytics", Replica(100, timeline: 2));
        Assert.Equal((HostState.OldTimeline, "10.0.0.2:5432 follows timeline 2, but the primary is on 3."), (topology["analytics"].State, topology["analytics"].Error));
        Assert.Null(topology["analytics"].FreshAt);
    }

    [Fact]
    public void Without_a_primary_a_replica_is_as_fresh_as_the_newest_answer_of_any_replica()
    {
        var topology = new TestTopology("primary", "analytics", "background").Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));
        topology.Fail("primary", FailureKind.Unreachable).Advance(1).Answer("analytics", Replica(100));
        var now = topology.Time.GetTimestamp();
        Assert.Equal((now, now), (topology["analytics"].FreshAt, topology["background"].FreshAt));
    }
}
