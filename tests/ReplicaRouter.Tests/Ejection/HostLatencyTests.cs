namespace ReplicaRouter.Tests.Ejection;

public class HostLatencyTests
{
    private const int History = 16;

    private readonly HostLatency _latency = new();

    private void Add(double milliseconds, int times)
    {
        for (var i = 0; i < times; i++) _latency.Add(milliseconds, History, now: 0);
    }

    [Fact]
    public void Old_samples_lose_weight_without_a_change_of_what_is_typical()
    {
        Add(8, times: (2 * History) + 1);
        Assert.Equal(8, Math.Exp(_latency.Typical), 6);
        Assert.InRange(_latency.Samples, History, 2 * History);
        Add(1, times: 2 * History);
        Assert.InRange(Math.Exp(_latency.Typical), 1, 2);
    }

    /// <summary>A bucket ends at most a quarter after the samples in it.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(2, 100)]
    public void The_slowest_samples_do_not_count_up_to_a_share(int slow, double expected)
    {
        var latency = new HostLatency();
        for (var sample = 0; sample < 100; sample++) latency.Add(sample < slow ? 100 : 1, history: 100, now: 0);
        Assert.InRange(latency.Slowest(0.01), expected, expected * 1.25);
    }

    [Fact]
    public void The_share_of_longer_samples_is_never_quite_zero()
    {
        Add(1, times: 9);
        Add(100, times: 10);
        Assert.Equal(1, _latency.ShareFrom(0.5), 6);
        Assert.Equal(11 / 20.0, _latency.ShareFrom(50), 6);
        Assert.Equal(1 / 20.0, _latency.ShareFrom(10_000), 6);
    }
}
