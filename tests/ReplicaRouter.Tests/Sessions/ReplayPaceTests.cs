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
    public void Before_the_first_step_nothing_is_known() => Assert.Equal(0.0, MillisecondsUntil(200));

    [Fact]
    public void Twice_as_far_takes_twice_as_long()
    {
        After(10, 200);
        Assert.Equal(10.0, MillisecondsUntil(300), 3);
        Assert.Equal(20.0, MillisecondsUntil(400), 3);
        Assert.Equal(0.0, MillisecondsUntil(200));
    }

    [Fact]
    public void What_has_passed_since_the_last_step_counts()
    {
        After(20, 200);
        After(5, 200);
        Assert.Equal(15.0, MillisecondsUntil(300), 3);
        After(20, 200);
        Assert.Equal(0.0, MillisecondsUntil(300));
    }

    [Fact]
    public void A_standby_that_stood_still_for_long_is_not_taken_for_a_slow_one()
    {
        After(10, 200);
        After(60_000, 300);
        Assert.Equal(10.0, MillisecondsUntil(400), 3);
    }

    [Fact]
    public void However_far_a_position_is_the_guess_is_bounded()
    {
        After(10, 200);
        Assert.Equal(50.0, MillisecondsUntil(ulong.MaxValue), 3);
    }

    [Fact]
    public void Time_in_which_no_operation_waited_tells_nothing()
    {
        After(10, 200);
        _pace.Interrupt();
        After(40, 300);
        Assert.Equal(10.0, MillisecondsUntil(400), 3);
    }

    [Fact]
    public void After_a_crash_it_goes_on_from_where_the_standby_is_again()
    {
        After(10, 200);
        After(10, 150);
        Assert.Equal(5.0, MillisecondsUntil(200), 3);
    }
}
