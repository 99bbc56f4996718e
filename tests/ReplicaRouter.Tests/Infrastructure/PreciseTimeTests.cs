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
    public async Task A_short_wait_never_ends_early(int milliseconds)
    {
        var start = Stopwatch.GetTimestamp();
        await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), s_time, TestContext.Current.CancellationToken);
        Assert.True(Stopwatch.GetElapsedTime(start).TotalMilliseconds >= milliseconds - 1);
    }

    [Fact]
    public async Task A_disposed_timer_does_not_fire()
    {
        var fired = 0;
        var timer = s_time.CreateTimer(_ => fired++, null, TimeSpan.FromMilliseconds(5), Timeout.InfiniteTimeSpan);
        await timer.DisposeAsync();
        // Timers fire in order: this later one fires after the disposed one would have.
        await Task.Delay(TimeSpan.FromMilliseconds(10), s_time, TestContext.Current.CancellationToken);
        Assert.Equal(0, fired);
    }

    [Fact]
    public void A_test_clock_is_returned_unchanged()
    {
        var time = new FakeTimeProvider();
        Assert.Same(time, PreciseTime.Of(time));
    }
}
