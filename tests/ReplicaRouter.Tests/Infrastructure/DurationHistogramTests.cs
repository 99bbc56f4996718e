namespace ReplicaRouter.Tests.Infrastructure;

public class DurationHistogramTests
{
    [Theory]
    [InlineData(0.07)]
    [InlineData(1)]
    [InlineData(3.3)]
    [InlineData(250)]
    [InlineData(59_000)]
    public void A_percentile_is_accurate_to_one_eighth(double milliseconds) =>
        Assert.InRange(PercentileOf(0.5, milliseconds, milliseconds, milliseconds)!.Value, milliseconds * 7 / 8, milliseconds * 9 / 8);

    [Fact]
    public void Percentiles_match_a_uniform_distribution()
    {
        var durations = Enumerable.Range(1, 1000).Select(i => (double)i).ToArray();
        Assert.InRange(PercentileOf(0.5, durations)!.Value, 440, 560);
        Assert.InRange(PercentileOf(0.95, durations)!.Value, 840, 1060);
        Assert.InRange(PercentileOf(0.99, durations)!.Value, 880, 1110);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(1e-9)]
    [InlineData(1e12)]
    [InlineData(double.PositiveInfinity)]
    public void An_impossible_duration_is_counted_in_the_first_or_last_bucket(double milliseconds) => Assert.NotNull(PercentileOf(0.5, milliseconds));

    [Fact]
    public void An_empty_histogram_has_no_percentile() => Assert.Null(PercentileOf(0.95));

    private static double? PercentileOf(double share, params double[] durations)
    {
        var histogram = new DurationHistogram();
        foreach (var duration in durations) histogram.Record(duration);
        Span<long> counts = stackalloc long[DurationHistogram.Size];
        histogram.AddTo(counts);
        return DurationHistogram.Percentile(counts, share);
    }
}
