using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Infrastructure;

public class PreciseTimeTests
{
    private static readonly TimeProvider s_time = PreciseTime.Of(TimeProvider.System);

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(49)]
    public async Task A_short_wait_ends_and_never_early(int milliseconds)
    {
        var start = Stopwatch.GetTimestamp();
        await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), s_time, TestContext.Current.CancellationToken);
        Assert.True(Stopwatch.GetElapsedTime(start).TotalMilliseconds >= milliseconds - 1);
    }

    [Fact]
    public async Task A_wait_that_is_called_off_does_not_fire()
    {
        var fired = 0;
        var timer = s_time.CreateTimer(_ => fired++, null, TimeSpan.FromMilliseconds(5), Timeout.InfiniteTimeSpan);
        await timer.DisposeAsync();
        // The later one is served after it.
        await Task.Delay(TimeSpan.FromMilliseconds(10), s_time, TestContext.Current.CancellationToken);
        Assert.Equal(0, fired);
    }

    [Fact]
    public void A_test_s_time_is_left_as_it_is()
    {
        var time = new FakeTimeProvider();
        Assert.Same(time, PreciseTime.Of(time));
    }
}
