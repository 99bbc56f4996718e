using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Wal;

public class TimelineHistoryTests
{
    private static readonly HostAnswer s_standby = Replica(140);
    private static readonly HostAnswer s_promoted = Primary(180, timeline: 2) with { ReplayLsn = 150, StartedAt = s_standby.StartedAt };

    private static WalPosition At(int timeline, ulong lsn, ulong fork = 0) => new(Cluster, timeline, lsn) { Fork = fork };

    [Fact]
    public void A_promotion_ends_the_former_timeline_at_the_replayed_position()
    {
        var history = TimelineHistory.Empty.With(s_standby, s_promoted);
        Assert.True(history.Contains(At(1, 150)));
        Assert.False(history.Contains(At(1, 151)));
        Assert.False(history.Contains(At(2, 1)));
    }

    [Fact]
    public void An_unobserved_promotion_proves_nothing()
    {
        Assert.False(TimelineHistory.Empty.With(null, s_promoted).Contains(At(1, 1)));
        Assert.False(TimelineHistory.Empty.With(s_promoted, s_promoted).Contains(At(1, 1)));
        // After a restart in between, the position can be the end of a crash recovery.
        Assert.False(TimelineHistory.Empty.With(s_standby, s_promoted with { StartedAt = 9 }).Contains(At(1, 1)));
        // Two timelines ahead, it forked from a timeline that was never observed.
        Assert.False(TimelineHistory.Empty.With(s_standby, s_promoted with { Timeline = 3 }).Contains(At(1, 1)));
    }

    [Fact]
    public void With_two_forks_of_one_timeline_only_positions_before_both_are_valid()
    {
        var history = TimelineHistory.Empty.With(s_standby, s_promoted with { ReplayLsn = 170 }).With(s_standby, s_promoted).With(s_standby, s_promoted with { ReplayLsn = 160 });
        Assert.True(history.Contains(At(1, 150)));
        Assert.False(history.Contains(At(1, 151)));
    }

    /// <summary>Two timelines with the same number but different fork points are different timelines, before and after the fork.</summary>
    [Theory]
    [Trait("Failure", "A12")]
    [InlineData(1, 150, 0, true)]       // before the valid fork
    [InlineData(1, 170, 0, true)]
    [InlineData(1, 171, 0, false)]
    [InlineData(2, 160, 170, true)]     // on the valid timeline, up to its end
    [InlineData(2, 300, 170, true)]
    [InlineData(2, 301, 170, false)]
    [InlineData(2, 300, 0, true)]       // from a process that did not observe the fork
    [InlineData(2, 160, 150, false)]    // on the lost timeline with the same number, even at a position that both reached
    [InlineData(2, 300, 150, false)]
    [InlineData(2, 160, WalPosition.SeveralForks, false)]
    public void Timelines_with_one_number_are_distinguished_by_their_fork(int timeline, ulong lsn, ulong fork, bool isContained)
    {
        var lost = TimelineHistory.Empty.With(s_standby, s_promoted);
        var second = s_promoted with { ReplayLsn = 170 };
        var history = lost.With(s_standby, second).Of(second, 170);
        var third = s_promoted with { Timeline = 3, ReplayLsn = 300 };
        history = history.With(s_standby with { Timeline = 2, ReplayTimeline = 2 }, third).Of(third, 300);
        Assert.Equal(isContained, history.Contains(At(timeline, lsn, fork)));
    }

    [Fact]
    [Trait("Failure", "A12")]
    public void Timelines_after_a_lost_fork_are_forgotten_with_it()
    {
        var third = s_promoted with { Timeline = 3, ReplayLsn = 300 };
        var history = TimelineHistory.Empty.With(s_standby, s_promoted).With(s_standby with { Timeline = 2, ReplayTimeline = 2 }, third).Of(third, 300);
        Assert.Equal(300UL, history.EndOf(2));
        history = history.Of(s_promoted with { ReplayLsn = 170 }, 170);
        Assert.Equal((170UL, null), (history.ForkOf(2), history.EndOf(2)));
    }

    [Fact]
    [Trait("Failure", "A12")]
    public void A_recovery_that_ended_before_the_known_fork_means_another_fork()
    {
        var history = TimelineHistory.Empty.With(s_standby, s_promoted);
        Assert.Equal(150UL, history.Of(s_promoted, null).ForkOf(2));
        Assert.Equal(150UL, history.Of(s_promoted with { ReplayLsn = 400 }, null).ForkOf(2));  // the end of a crash recovery
        Assert.Equal(0UL, history.Of(s_promoted with { ReplayLsn = 140 }, null).ForkOf(2));
    }
}
