using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Sessions;

public class ReplayPaceTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ReplayPace _pace;

    public ReplayPaceTests()
    {
        _pace = new ReplayPace(_time);
        _pace.Record(100, _time.GetTimestamp());
    }

    private double MillisecondsUntil(ulong lsn) => _pace.TimeUntil(lsn, _time.GetTimestamp()).TotalMilliseconds;

    private void After(int milliseconds, ulong replayed)
    {
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        _pace.Record(replayed, _time.GetTimestamp());
    }

    [Fact]
    public void Before_the_first_step_the_estimate_is_zero() => Assert.Equal(0.0, MillisecondsUntil(200));

    [Fact]
    public void The_estimate_is_proportional_to_the_distance()
    {
        After(10, 200);
        Assert.Equal(10.0, MillisecondsUntil(300), 3);
        Assert.Equal(20.0, MillisecondsUntil(400), 3);
        Assert.Equal(0.0, MillisecondsUntil(200));
    }

    [Fact]
    public void Time_since_the_last_step_is_subtracted()
    {
        After(20, 200);
        After(5, 200);
        Assert.Equal(15.0, MillisecondsUntil(300), 3);
        After(20, 200);
        Assert.Equal(0.0, MillisecondsUntil(300));
    }

    [Fact]
    public void A_standby_that_was_idle_for_long_is_not_considered_slow()
    {
        After(10, 200);
        After(60_000, 300);
        Assert.Equal(10.0, MillisecondsUntil(400), 3);
    }

    [Fact]
    public void The_estimate_is_bounded_for_any_distance()
    {
        After(10, 200);
        Assert.Equal(50.0, MillisecondsUntil(ulong.MaxValue), 3);
    }

    [Fact]
    public void Time_without_waiting_operations_is_ignored()
    {
        After(10, 200);
        _pace.Interrupt();
        After(40, 300);
        Assert.Equal(10.0, MillisecondsUntil(400), 3);
    }

    [Fact]
    public void After_a_crash_the_estimate_continues_from_the_standbys_position()
    {
        After(10, 200);
        After(10, 150);
        Assert.Equal(5.0, MillisecondsUntil(200), 3);
    }
}
