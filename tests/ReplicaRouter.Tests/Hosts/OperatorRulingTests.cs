using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Hosts;

/// <summary>An operator's order covers a host as long as the host shows what it showed at the order.</summary>
public class OperatorRulingTests
{
    private static readonly OperatorRuling s_accepted = new(Cluster, 2, IsInRecovery: false, IsAccepted: true);
    private static readonly OperatorRuling s_refused = new(Cluster, 2, IsInRecovery: true, IsAccepted: false);

    [Fact]
    public void An_accepted_host_is_covered_on_its_timeline_and_in_its_role()
    {
        Assert.True(s_accepted.Covers(Primary(100, timeline: 2)));
        Assert.False(s_accepted.Covers(Primary(100, timeline: 3)));
        Assert.False(s_accepted.Covers(Primary(100, timeline: 2, cluster: 42)));
        Assert.False(s_accepted.Covers(Replica(100, timeline: 2)));
    }

    [Fact]
    public void An_accepted_host_without_a_timeline_is_covered_as_long_as_it_shows_none()
    {
        var accepted = s_accepted with { Timeline = 0, IsInRecovery = true };
        Assert.True(accepted.Covers(Replica(100, timeline: null)));
        Assert.False(accepted.Covers(Replica(100, timeline: 1)));
    }

    [Theory]
    [InlineData(2, 2, false, true)]
    [InlineData(1, 1, false, false)]
    // It receives nothing, so its control file may show a timeline that it has left.
    [InlineData(null, 1, false, true)]
    [InlineData(null, null, false, true)]
    // It receives from a server, and the role may not see the timeline.
    [InlineData(null, 1, true, false)]
    [InlineData(null, 2, true, true)]
    public void An_abandoned_host_is_covered_until_it_streams_another_timeline(int? streamed, int? replayed, bool isHidden, bool isCovered) =>
        Assert.Equal(isCovered, s_refused.Covers(Replica(100, streamed) with { ReplayTimeline = replayed, IsTimelineHidden = isHidden }));

    [Fact]
    public void An_abandoned_host_of_another_cluster_is_not_covered() => Assert.False(s_refused.Covers(Replica(100, timeline: 2, cluster: 42)));
}
