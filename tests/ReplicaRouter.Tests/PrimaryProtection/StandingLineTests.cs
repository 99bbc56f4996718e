using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.PrimaryProtection;

public class StandingLineTests
{
    private const int Places = 10;

    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(2);

    private readonly FakeTimeProvider _time = new();
    private readonly StandingLine _line;
    private int _waiting;

    public StandingLineTests() => _line = new StandingLine(_time);

    /// <summary>Callers come and are served for a while, in steps of 10 ms.</summary>
    private void Run(int milliseconds, int comingPerStep, int servedPerStep)
    {
        for (var passed = 0; passed < milliseconds; passed += 10)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            var served = Math.Min(_waiting + comingPerStep, servedPerStep);
            _waiting += comingPerStep - served;
            _line.Note(_waiting, served, Places);
        }
    }

    [Fact]
    [Trait("Failure", "B12")]
    public void A_line_that_grows_while_callers_are_served_stands_within_half_a_second()
    {
        Run(500, comingPerStep: 30, servedPerStep: 10);
        Assert.True(_line.IsStanding);
        Assert.True(_line.IsTooLong(Places, s_wait, Places));
        Assert.False(_line.IsTooLong(Places - 1, s_wait, Places));
        // A thousand a second are served: within 5 ms five of them.
        Assert.True(_line.IsTooLong(6, TimeSpan.FromMilliseconds(5), Places));
        Assert.False(_line.IsTooLong(4, TimeSpan.FromMilliseconds(5), Places));
    }

    [Fact]
    public void A_burst_that_gets_shorter_is_waited_out_however_long_it_is()
    {
        _waiting = 5_000;
        _line.Note(_waiting, served: 0, Places);
        for (var i = 0; i < 60 && _waiting > 0; i++)
        {
            Run(100, comingPerStep: 5, servedPerStep: 15);
            Assert.False(_line.IsStanding);
        }

        Assert.Equal(0, _waiting);
    }

    [Theory]
    [InlineData(190)]
    [InlineData(300)]
    [InlineData(1500)]
    public void A_stall_in_which_no_caller_is_served_is_waited_out(int milliseconds)
    {
        Run(1000, comingPerStep: 7, servedPerStep: 10);
        Run(milliseconds, comingPerStep: 7, servedPerStep: 0);
        Assert.False(_line.IsStanding);
        while (_waiting > 0)
        {
            Run(10, comingPerStep: 7, servedPerStep: 10);
            Assert.False(_line.IsStanding);
        }
    }

    [Fact]
    public void It_stands_until_it_is_empty_and_no_longer()
    {
        Run(500, comingPerStep: 30, servedPerStep: 10);
        // As long as may wait, and no longer.
        _waiting = Places;
        Run(5000, comingPerStep: 10, servedPerStep: 10);
        Assert.True(_line.IsStanding);
        Run(200, comingPerStep: 7, servedPerStep: 10);
        Assert.Equal(0, _waiting);
        Assert.False(_line.IsStanding);
        Assert.False(_line.IsTooLong(100, s_wait, Places));
    }

    [Fact]
    public void A_fixed_number_of_callers_that_come_again_and_again_wait_for_one_another()
    {
        _waiting = 300;
        Run(10_000, comingPerStep: 10, servedPerStep: 10);
        Assert.False(_line.IsStanding);
        Assert.False(_line.IsTooLong(300, s_wait, Places));
        // A thousand a second are served.
        Assert.True(_line.IsTooLong(2100, s_wait, Places));
    }

    [Fact]
    public void A_line_that_is_served_within_moments_does_not_stand_though_it_grows()
    {
        for (var i = 0; i < 20; i++) Run(100, comingPerStep: 101, servedPerStep: 100);
        Assert.Equal(200, _waiting);
        Assert.False(_line.IsStanding);
    }

    [Fact]
    public void A_new_line_after_a_quiet_hour_is_judged_by_itself()
    {
        Run(500, comingPerStep: 30, servedPerStep: 10);
        _line.Note(waiting: 0, served: 0, Places);
        _time.Advance(TimeSpan.FromHours(1));
        _line.Note(waiting: 50, served: 20, Places);
        Assert.False(_line.IsStanding);
        Assert.False(_line.IsTooLong(100_000, s_wait, Places));
    }
}
