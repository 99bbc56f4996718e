using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.PrimaryProtection;

public class StandingQueueTests
{
    private const int Places = 10;

    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(2);

    private readonly FakeTimeProvider _time = new();
    private readonly StandingQueue _line;
    private int _waiting;

    public StandingQueueTests() => _line = new StandingQueue(_time);

    /// <summary>Simulates callers that arrive and are served, in steps of 10 ms.</summary>
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
    public void A_queue_that_grows_while_it_is_served_is_standing_within_half_a_second()
    {
        Run(500, comingPerStep: 30, servedPerStep: 10);
        Assert.True(_line.IsStanding);
        Assert.True(_line.IsTooLong(Places, s_wait, Places));
        Assert.False(_line.IsTooLong(Places - 1, s_wait, Places));
        // At a thousand callers a second, five are served within 5 ms.
        Assert.True(_line.IsTooLong(6, TimeSpan.FromMilliseconds(5), Places));
        Assert.False(_line.IsTooLong(4, TimeSpan.FromMilliseconds(5), Places));
    }

    [Fact]
    public void A_burst_of_any_length_that_gets_shorter_is_waited_out()
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
    public void A_stall_without_any_caller_served_is_waited_out(int milliseconds)
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
    public void A_standing_queue_stays_so_until_it_is_empty()
    {
        Run(500, comingPerStep: 30, servedPerStep: 10);
        // The queue stays at its maximum length.
        _waiting = Places;
        Run(5000, comingPerStep: 10, servedPerStep: 10);
        Assert.True(_line.IsStanding);
        Run(200, comingPerStep: 7, servedPerStep: 10);
        Assert.Equal(0, _waiting);
        Assert.False(_line.IsStanding);
        Assert.False(_line.IsTooLong(100, s_wait, Places));
    }

    [Fact]
    public void A_fixed_number_of_callers_that_keep_returning_may_queue()
    {
        _waiting = 300;
        Run(10_000, comingPerStep: 10, servedPerStep: 10);
        Assert.False(_line.IsStanding);
        Assert.False(_line.IsTooLong(300, s_wait, Places));
        // At a thousand callers a second, 2,000 are served within the wait of 2 s.
        Assert.True(_line.IsTooLong(2100, s_wait, Places));
    }

    [Fact]
    public void A_growing_queue_that_is_served_within_100_ms_is_harmless()
    {
        for (var i = 0; i < 20; i++) Run(100, comingPerStep: 101, servedPerStep: 100);
        Assert.Equal(200, _waiting);
        Assert.False(_line.IsStanding);
    }

    [Fact]
    public void A_new_queue_after_a_quiet_hour_starts_with_fresh_counts()
    {
        Run(500, comingPerStep: 30, servedPerStep: 10);
        _line.Note(waiting: 0, served: 0, Places);
        _time.Advance(TimeSpan.FromHours(1));
        _line.Note(waiting: 50, served: 20, Places);
        Assert.False(_line.IsStanding);
        Assert.False(_line.IsTooLong(100_000, s_wait, Places));
    }
}
