namespace ReplicaRouter.Tests.Wal;

/// <summary>The moments that a history of WAL positions knows, also when it is long.</summary>
public class WalMomentTests
{
    private const int Samples = 1000;

    private static readonly WalHistory s_long = Enumerable.Range(0, Samples).Aggregate(WalHistory.Empty, (history, i) => history.Record(1, AtOf(i), LsnOf(i)));

    private static readonly WalHistory s_three = WalHistory.Empty.Record(1, 10, 100).Record(1, 20, 200).Record(1, 40, 300);

    private static long AtOf(int sample) => sample * 10L;

    private static ulong LsnOf(int sample) => 100 + (ulong)sample;

    [Fact]
    public void A_long_history_is_exact_where_it_is_young()
    {
        for (var i = Samples - 30; i < Samples; i++) Assert.Equal(AtOf(i), s_long.ProvenAt(LsnOf(i)));
    }

    [Fact]
    public void A_long_history_rounds_ages_up_by_less_than_a_tenth()
    {
        for (var i = 0; i < Samples - 1; i++)
        {
            double exact = AtOf(Samples - 1) - AtOf(i);
            var proven = AtOf(Samples - 1) - s_long.ProvenAt(LsnOf(i))!.Value;
            Assert.InRange(proven, exact, exact * 1.1);
        }
    }

    [Theory]
    [InlineData(9, 0)]
    [InlineData(10, 100)]
    [InlineData(19, 100)]
    [InlineData(20, 200)]
    [InlineData(39, 200)]
    [InlineData(40, 300)]
    [InlineData(1000, 300)]
    public void The_position_known_at_a_moment_is_the_last_one_observed_by_then(long at, ulong lsn) => Assert.Equal(lsn, s_three.KnownAt(at));

    [Theory]
    [InlineData(100, 10)]
    [InlineData(150, 15)]
    [InlineData(200, 20)]
    [InlineData(225, 25)]
    [InlineData(300, 40)]
    [InlineData(1000, 40)]
    public void The_estimated_moment_lies_between_two_samples_in_proportion(ulong lsn, long at) => Assert.Equal(at, s_three.EstimatedAt(lsn));

    [Fact]
    public void A_position_older_than_the_history_has_no_moment()
    {
        Assert.Null(s_three.EstimatedAt(99));
        Assert.Null(s_three.ProvenAt(99));
    }

    [Fact]
    public void A_second_position_of_the_same_moment_proves_nothing_new() => Assert.Same(s_three, s_three.Record(1, 40, 400));

    [Fact]
    public void A_history_is_empty_until_its_first_sample()
    {
        Assert.True(WalHistory.Empty.IsEmpty);
        Assert.Equal((false, 1), (s_three.IsEmpty, s_three.Timeline));
    }
}
