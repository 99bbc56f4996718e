using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

public class TimelineHistoryTests
{
    private static readonly HostAnswer s_standby = Replica(140);
    private static readonly HostAnswer s_promoted = Primary(180, timeline: 2) with { ReplayLsn = 150, StartedAt = s_standby.StartedAt };

    [Fact]
    public void A_promotion_ends_the_former_timeline_where_the_promoted_server_had_replayed_to()
    {
        var history = TimelineHistory.Empty.With(s_standby, s_promoted);
        Assert.True(history.Contains(1, 150));
        Assert.False(history.Contains(1, 151));
        Assert.False(history.Contains(2, 1));
    }

    [Fact]
    public void What_was_not_seen_from_a_standby_to_its_promotion_proves_nothing()
    {
        Assert.False(TimelineHistory.Empty.With(null, s_promoted).Contains(1, 1));
        Assert.False(TimelineHistory.Empty.With(s_promoted, s_promoted).Contains(1, 1));
        // Restarted in between, it may show the end of a crash recovery.
        Assert.False(TimelineHistory.Empty.With(s_standby, s_promoted with { StartedAt = 9 }).Contains(1, 1));
        // Two timelines ahead, it was forked off one that we never saw.
        Assert.False(TimelineHistory.Empty.With(s_standby, s_promoted with { Timeline = 3 }).Contains(1, 1));
    }

    [Fact]
    public void Of_two_forks_of_one_timeline_only_what_lies_before_both_counts()
    {
        var history = TimelineHistory.Empty.With(s_standby, s_promoted with { ReplayLsn = 170 }).With(s_standby, s_promoted).With(s_standby, s_promoted with { ReplayLsn = 160 });
        Assert.True(history.Contains(1, 150));
        Assert.False(history.Contains(1, 151));
    }
}
