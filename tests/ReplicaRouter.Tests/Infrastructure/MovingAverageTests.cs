namespace ReplicaRouter.Tests.Infrastructure;

public class MovingAverageTests
{
    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(-0.001)]
    public void Negative_and_non_finite_samples_are_ignored(double sample)
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
