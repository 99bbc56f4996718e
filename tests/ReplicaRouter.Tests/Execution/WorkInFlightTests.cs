using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Execution;

public class WorkInFlightTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Work_is_stalled_when_some_is_pending_and_none_completes()
    {
        var work = new WorkInFlight(_time);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(work.IsStalled(TimeSpan.FromSeconds(1)));
        work.Begin();
        work.Begin();
        _time.Advance(TimeSpan.FromSeconds(0.9));
        work.End();
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.False(work.IsStalled(TimeSpan.FromSeconds(1)));
        _time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.True(work.IsStalled(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Forgotten_work_that_ends_later_is_not_counted_below_zero()
    {
        var work = new WorkInFlight(_time);
        work.Begin();
        work.Forget();
        Assert.Equal(0, work.Count);
        work.End();
        Assert.Equal(0, work.Count);
        work.Begin();
        Assert.Equal(1, work.Count);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(work.IsStalled(TimeSpan.FromSeconds(1)));
    }
}
