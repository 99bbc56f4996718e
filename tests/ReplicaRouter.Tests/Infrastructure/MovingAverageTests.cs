namespace ReplicaRouter.Tests.Infrastructure;

public class MovingAverageTests
{
    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(-0.001)]
    public void A_sample_that_no_clock_gives_is_refused(double sample)
    {
        var average = new MovingAverage();
        average.Record(sample);
        Assert.Equal(0, average.Value);
        average.Record(10);
        average.Record(sample);
        Assert.Equal(10, average.Value);
        average.Record(20);
        Assert.Equal(11, average.Value);
    }
}
