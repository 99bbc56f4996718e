using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Execution;

public class WorkUnderWayTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void It_stalls_when_something_is_to_be_done_and_nothing_gets_done()
    {
        var work = new WorkUnderWay(_time);
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
    public void What_was_never_counted_as_ended_can_be_forgotten_and_what_ends_after_all_takes_nothing_away()
    {
        var work = new WorkUnderWay(_time);
        work.Begin();
        work.Forget();
        Assert.Equal(0, work.Count);
        work.End();
        Assert.Equal(0, work.Count);
    }
}
