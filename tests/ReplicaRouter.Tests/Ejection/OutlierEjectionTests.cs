using System.Numerics;
using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Ejection;

public class OutlierEjectionTests
{
    private const int Slow = 0;
    private const int Other = 1;
    private const int Fast = 2;
    private const ulong All = 0b111;

    private readonly FakeTimeProvider _time = new();
    private readonly HostLoad[] _loads;

    public OutlierEjectionTests() => _loads = TestTopology.Loads(hosts: 3, routes: 1, _time);

    private OutlierEjection Ejection => _loads[0].Ejection(0);

    private ulong Window => Ejection.Filter(All, _loads);

    private bool IsIn(int host) => (Window >> host & 1) != 0;

    /// <summary>One command after the other: each begins when the one before has ended.</summary>
    private void Run(int host, double milliseconds, int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            _loads[host].RecordCommand(0, milliseconds);
        }
    }

    /// <summary>All hosts are known to take a millisecond.</summary>
    private void Know()
    {
        for (var i = 0; i < 300; i++)
        {
            for (var host = Slow; host <= Fast; host++) Run(host, 1);
        }
    }

    private void EjectSlow()
    {
        Know();
        Run(Slow, 100, times: 2);
        Assert.False(IsIn(Slow));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1_000)]
    public void A_host_that_is_much_slower_is_left_out_after_two_commands_where_all_take_about_the_same(double slow)
    {
        Know();
        Run(Slow, slow);
        Assert.True(IsIn(Slow));
        Run(Slow, slow);
        Assert.Equal(All & ~1UL, Window);
    }

    [Fact]
    public void A_host_that_is_ten_times_as_slow_is_left_out_within_a_tenth_of_a_second()
    {
        Know();
        var start = _time.GetTimestamp();
        while (IsIn(Slow)) Run(Slow, 10);
        Assert.InRange(_time.GetElapsedTime(start).TotalMilliseconds, 20, 100);
    }

    [Theory]
    [InlineData(1, 1.7)]
    [InlineData(0.2, 1.1)]
    [InlineData(20, 38)]
    public void A_host_that_is_less_than_twice_as_slow_or_a_millisecond_slower_is_not_left_out(double fast, double slow)
    {
        for (var i = 0; i < 1000; i++)
        {
            Run(Slow, slow);
            Run(Other, fast);
            Run(Fast, fast);
            Assert.Equal(All, Window);
        }
    }

    [Fact]
    public void The_first_commands_of_a_host_say_nothing_against_it()
    {
        for (var i = 0; i < 300; i++) Run(Fast, 1);
        Run(Slow, 100, times: 8);
        Assert.True(IsIn(Slow));
    }

    [Theory]
    [InlineData("look-ups and reports")]
    [InlineData("from 0.5 to 25 ms")]
    public void Hosts_that_are_sent_the_same_mix_of_work_are_seldom_left_out(string mix)
    {
        var random = new Random(1);
        var leftOut = 0;
        for (var i = 0; i < 100_000; i++)
        {
            var window = Window;
            if (window != All) leftOut++;
            Run(Nth(window, random.Next(BitOperations.PopCount(window))), Draw(mix, random));
        }

        Assert.InRange(leftOut, 0, 2_000);
    }

    [Theory]
    [InlineData("look-ups and reports", 30)]
    [InlineData("from 0.5 to 25 ms", 30)]
    public void A_host_that_gets_ten_times_as_slow_at_such_a_mix_is_found_out(string mix, int within)
    {
        var random = new Random(1);
        for (var i = 0; i < 1000; i++)
        {
            for (var host = Slow; host <= Fast; host++) Run(host, Draw(mix, random));
        }

        var needed = 0;
        for (; IsIn(Slow); needed++)
        {
            Run(Slow, 10 * Draw(mix, random));
            Run(Fast, Draw(mix, random));
        }

        Assert.InRange(needed, 1, within);
    }

    private static double Draw(string mix, Random random) => mix == "look-ups and reports"
        ? random.NextDouble() switch { < 0.8 => 1, < 0.98 => 5, _ => 200 }
        : 0.5 * Math.Exp(Math.Log(50) * random.NextDouble());

    private static int Nth(ulong hosts, int n)
    {
        for (; n > 0; n--) hosts &= hosts - 1;
        return BitOperations.TrailingZeroCount(hosts);
    }

    [Fact]
    public void The_majority_of_the_hosts_is_left_out_on_overwhelming_evidence_only_and_never_all()
    {
        EjectSlow();
        var needed = 0;
        for (; IsIn(Other); needed++) Run(Other, 100);
        Assert.InRange(needed, 4, 6);
        Run(Fast, 100, times: 50);
        Assert.True(IsIn(Fast));
    }

    [Fact]
    public void What_makes_all_hosts_slow_at_once_is_no_reason_to_leave_one_out()
    {
        Know();
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            for (var host = Slow; host <= Fast; host++) _loads[host].RecordCommand(0, 100);
            Assert.Equal(All, Window);
        }
    }

    [Fact]
    public void Commands_that_were_held_up_together_count_once()
    {
        Know();
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(3));
            _loads[Slow].RecordCommand(0, 100);
        }

        Assert.True(IsIn(Slow));
        Run(Slow, 100);
        Assert.False(IsIn(Slow));
    }

    [Fact]
    public void A_read_that_another_host_did_sooner_although_it_began_later_is_enough()
    {
        Know();
        _time.Advance(TimeSpan.FromMilliseconds(10));
        _loads[Slow].RecordCommand(0, 10, isBeaten: true);
        Assert.False(IsIn(Slow));
    }

    [Fact]
    public void An_ejected_host_is_tried_after_a_pause_by_one_command_in_two_hundred_and_the_pause_doubles_with_each_that_is_slow()
    {
        EjectSlow();
        foreach (var pause in new[] { 25, 50, 100, 200, 400, 800, 1600, 1600 })
        {
            Run(Fast, 0.1, times: 199);
            Run(Fast, 1, times: Math.Max(0, pause - 21));
            Assert.False(IsIn(Slow), $"before {pause} ms");
            Run(Fast, 1, times: 2);
            Assert.True(IsIn(Slow), $"after {pause} ms");
            // One at a time.
            _loads[Slow].BeginOpening();
            Assert.False(IsIn(Slow));
            _loads[Slow].EndOpening();
            Run(Slow, 10);
            Assert.False(IsIn(Slow));
        }
    }

    [Fact]
    public void A_host_is_back_after_two_trials_that_are_as_fast_as_the_others()
    {
        EjectSlow();
        Run(Fast, 1, times: 200);
        Run(Slow, 1);
        Assert.NotEqual(0UL, Ejection.Ejected);
        Assert.True(IsIn(Slow));
        Run(Slow, 1);
        Assert.Equal(0UL, Ejection.Ejected);
    }

    [Fact]
    public void A_command_that_was_under_way_when_the_host_was_ejected_is_no_trial()
    {
        EjectSlow();
        Run(Fast, 1, times: 200);
        for (var i = 0; i < 10; i++) _loads[Slow].RecordCommand(0, 200);
        Assert.True(IsIn(Slow));
    }

    [Fact]
    public void A_probe_that_was_slow_and_is_not_any_more_takes_the_place_of_the_commands()
    {
        Know();
        _loads[Slow].RecordProbe(1);
        Run(Slow, 100, times: 2);
        _time.Advance(TimeSpan.FromMilliseconds(25));
        _loads[Slow].RecordProbe(1);
        Assert.False(IsIn(Slow));
        _loads[Slow].RecordProbe(10);
        Assert.False(IsIn(Slow));
        _loads[Slow].RecordProbe(1);
        Assert.True(IsIn(Slow));
        Run(Slow, 10);
        Assert.False(IsIn(Slow));
    }

    [Fact]
    public void Work_of_another_route_keeps_an_ejected_host_from_its_trial_for_a_moment_only()
    {
        EjectSlow();
        _loads[Slow].Commands.Begin();
        Run(Fast, 1, times: 200);
        Assert.False(IsIn(Slow));
        Run(Fast, 1, times: 1600);
        // It gets work done: else it would be left out as silent.
        _loads[Slow].Commands.Begin();
        _loads[Slow].Commands.End();
        Assert.True(IsIn(Slow));
    }

    [Fact]
    public void With_nothing_recent_to_compare_with_no_host_stays_ejected()
    {
        EjectSlow();
        _time.Advance(TimeSpan.FromSeconds(11));
        Run(Slow, 100);
        Assert.Equal(0UL, Ejection.Ejected);
    }

    [Fact]
    public void A_host_that_was_out_begins_as_a_new_one()
    {
        EjectSlow();
        _loads[Slow].ForgetLatency();
        Assert.Equal(All, Window);
        Assert.Equal(0, _loads[Slow].TypicalMs(0));
    }

    [Fact]
    public void Hosts_are_compared_with_those_that_may_serve_and_one_is_always_left()
    {
        EjectSlow();
        Assert.Equal(0b001UL, Ejection.Filter(0b001, _loads));
    }

    [Fact]
    public void A_host_that_is_silent_over_its_work_is_left_out_before_that_ends_unless_all_are()
    {
        Know();
        _loads[Slow].Commands.Begin();
        _time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Equal(All, Window);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(IsIn(Slow));
        _loads[Other].Commands.Begin();
        _loads[Fast].Commands.Begin();
        _time.Advance(TimeSpan.FromMilliseconds(11));
        Assert.Equal(All, Window);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1)]
    public void A_latency_that_no_clock_gives_is_refused(double sample)
    {
        Run(Slow, 2, times: 10);
        _loads[Slow].RecordCommand(0, sample);
        Assert.Equal(2, _loads[Slow].TypicalMs(0), 3);
    }

    [Fact]
    public async Task There_is_a_host_to_choose_at_any_moment_while_samples_are_recorded()
    {
        var loads = TestTopology.Loads(hosts: 3, routes: 1, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var recording = Enumerable.Range(0, 3).Select(host => Task.Run(() =>
        {
            var random = new Random(host);
            while (!stop.IsCancellationRequested) loads[host].RecordCommand(0, random.Next(10) == 0 ? 1000 : 0.001);
        }, TestContext.Current.CancellationToken)).ToList();
        for (var i = 0; i < 100_000; i++) Assert.NotEqual(0UL, loads[0].Ejection(0).Filter(All, loads));
        await stop.CancelAsync();
        await Task.WhenAll(recording);
    }
}
