namespace ReplicaRouter.Tests.Wal;

public class LaterPositionTests
{
    private static WalPosition At(int timeline, ulong lsn, ulong fork = 0, ulong cluster = 7) => new(cluster, timeline, lsn) { Fork = fork };

    [Theory]
    [InlineData(1, 100, 1, 200, 1, 200)]
    [InlineData(1, 200, 1, 100, 1, 200)]
    [InlineData(1, 900, 2, 50, 2, 50)]
    [InlineData(2, 50, 1, 900, 2, 50)]
    public void Of_two_positions_the_timeline_counts_before_the_lsn(int oneTimeline, ulong oneLsn, int otherTimeline, ulong otherLsn, int timeline, ulong lsn) =>
        Assert.Equal(At(timeline, lsn), WalPosition.Later(At(oneTimeline, oneLsn), At(otherTimeline, otherLsn)));

    [Fact]
    public void A_position_without_an_lsn_is_never_the_later_one()
    {
        Assert.Equal(At(1, 100), WalPosition.Later(default, At(1, 100)));
        Assert.Equal(At(1, 100), WalPosition.Later(At(1, 100), default));
        Assert.Equal(At(1, 100), WalPosition.Later(At(1, 100), At(9, 0)));
    }

    [Fact]
    public void Of_positions_of_two_clusters_the_first_stays() => Assert.Equal(At(1, 100), WalPosition.Later(At(1, 100), At(2, 200, cluster: 8)));

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, 50, 50)]
    [InlineData(50, 0, 50)]
    [InlineData(50, 50, 50)]
    [InlineData(50, 60, WalPosition.SeveralForks)]
    public void Two_positions_on_one_timeline_share_the_fork_that_is_known(ulong one, ulong other, ulong fork)
    {
        Assert.Equal(fork, WalPosition.Later(At(2, 100, one), At(2, 200, other)).Fork);
        Assert.Equal(fork, WalPosition.Later(At(2, 200, one), At(2, 100, other)).Fork);
    }

    [Fact]
    public void A_later_timeline_keeps_its_own_fork()
    {
        Assert.Equal(60UL, WalPosition.Later(At(2, 200, 50), At(3, 100, 60)).Fork);
        Assert.Equal(60UL, WalPosition.Later(At(3, 100, 60), At(2, 200, 50)).Fork);
    }

    [Theory]
    [InlineData(0x1_0000_0042UL, "1/42 on timeline 3")]
    [InlineData(0xABUL, "0/AB on timeline 3")]
    public void A_position_is_written_as_PostgreSQL_writes_it(ulong lsn, string text) => Assert.Equal(text, At(3, lsn).ToString());
}
