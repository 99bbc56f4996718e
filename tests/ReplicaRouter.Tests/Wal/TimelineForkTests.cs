using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Wal;

/// <summary>Which answers show a fork, and what a history says about forks and synchronous commits.</summary>
public class TimelineForkTests
{
    private static readonly HostAnswer s_standby = Replica(140);
    private static readonly HostAnswer s_promoted = Primary(180, timeline: 2) with { ReplayLsn = 150, StartedAt = s_standby.StartedAt };
    private static readonly TimelineHistory s_promotion = TimelineHistory.Empty.With(s_standby, s_promoted);

    [Fact]
    public void A_fork_shows_only_when_one_server_goes_from_standby_to_primary_by_one_timeline()
    {
        Assert.Equal(150UL, TimelineHistory.ForkShownBy(s_standby, s_promoted));
        Assert.Null(TimelineHistory.ForkShownBy(null, s_promoted));
        Assert.Null(TimelineHistory.ForkShownBy(s_standby with { ReplayTimeline = null }, s_promoted));
        Assert.Null(TimelineHistory.ForkShownBy(s_standby with { IsInRecovery = false }, s_promoted));
        Assert.Null(TimelineHistory.ForkShownBy(s_standby, s_promoted with { IsInRecovery = true }));
        Assert.Null(TimelineHistory.ForkShownBy(s_standby, s_promoted with { Timeline = null }));
        Assert.Null(TimelineHistory.ForkShownBy(s_standby, s_promoted with { ReplayLsn = null }));
        Assert.Null(TimelineHistory.ForkShownBy(s_standby, s_promoted with { ServerPort = 6432 }));
        Assert.Null(TimelineHistory.ForkShownBy(s_standby, s_promoted with { Timeline = 1 }));
    }

    [Theory]
    [InlineData(2, 0, false)]
    [InlineData(2, 150, false)]
    [InlineData(2, 170, true)]
    [InlineData(5, 170, false)]
    [InlineData(2, WalPosition.SeveralForks, true)]
    [InlineData(5, WalPosition.SeveralForks, true)]
    public void A_timeline_is_another_one_if_its_fork_is_known_to_differ(int timeline, ulong fork, bool isOther) =>
        Assert.Equal(isOther, s_promotion.IsOnOtherFork(timeline, fork));

    [Fact]
    public void The_last_answer_of_its_primary_shows_whether_a_timeline_is_synchronous()
    {
        var (with, without) = (s_promoted with { HasSynchronousStandbys = true }, s_promoted);
        var history = s_promotion.Of(with, 150);
        Assert.True(history.IsSynchronous(2, without));
        Assert.Same(history, history.Of(with, 150));
        history = history.Of(without, 150);
        Assert.False(history.IsSynchronous(2, without));
        // The end of timeline 2 is unknown, so the present primary's setting counts.
        Assert.True(history.IsSynchronous(2, with));
        // Timeline 1 has ended, and its primary was never seen to wait for standbys.
        Assert.False(history.IsSynchronous(1, with));
    }

    [Fact]
    public void A_primary_without_a_timeline_leaves_the_history_as_it_is() =>
        Assert.Same(s_promotion, s_promotion.Of(s_promoted with { Timeline = null, HasSynchronousStandbys = true }, 170));
}
