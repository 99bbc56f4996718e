using System.Numerics;
using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Ejection;

public partial class OutlierEjectionTests
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

    /// <summary>Runs commands sequentially.</summary>
    private void Run(int host, double milliseconds, int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            _loads[host].RecordCommand(0, milliseconds);
        }
    }

    /// <summary>Records a usual latency of one millisecond on all hosts.</summary>
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
    public void A_much_slower_host_is_ejected_after_two_commands_of_a_uniform_load(double slow)
    {
        Know();
        Run(Slow, slow);
        Assert.True(IsIn(Slow));
        Run(Slow, slow);
        Assert.Equal(All & ~1UL, Window);
    }

    [Fact]
    public void A_host_ten_times_as_slow_is_ejected_within_100_ms()
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
    public void A_host_less_than_twice_as_slow_or_one_ms_slower_is_not_ejected(double fast, double slow)
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
    public void The_first_commands_of_a_host_do_not_eject_it()
    {
        for (var i = 0; i < 300; i++) Run(Fast, 1);
        Run(Slow, 100, times: 8);
        Assert.True(IsIn(Slow));
    }

    [Theory]
    [InlineData("look-ups and reports")]
    [InlineData("from 0.5 to 25 ms")]
    public void Equal_hosts_with_the_same_mix_of_work_are_rarely_ejected(string mix)
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
    public void A_host_that_becomes_ten_times_as_slow_at_a_mix_is_ejected(string mix, int within)
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
    public void A_majority_is_ejected_only_on_overwhelming_evidence_and_never_all_hosts()
    {
        EjectSlow();
        var needed = 0;
        for (; IsIn(Other); needed++) Run(Other, 100);
        Assert.InRange(needed, 4, 6);
        Run(Fast, 100, times: 50);
        Assert.True(IsIn(Fast));
    }

    [Fact]
    public void No_host_is_ejected_when_all_become_slow_at_once()
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
    public void Commands_delayed_together_count_once()
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
    public void One_read_beaten_by_its_hedge_is_enough_for_an_ejection()
    {
        Know();
        _time.Advance(TimeSpan.FromMilliseconds(10));
        _loads[Slow].RecordCommand(0, 10, isBeaten: true);
        Assert.False(IsIn(Slow));
    }

    [Fact]
    public void An_ejected_host_gets_a_trial_after_a_pause_that_doubles_with_each_slow_one()
    {
        EjectSlow();
        foreach (var pause in new[] { 25, 50, 100, 200, 400, 800, 1600, 1600 })
        {
            Run(Fast, 0.1, times: 199);
            Run(Fast, 1, times: Math.Max(0, pause - 21));
            Assert.False(IsIn(Slow), $"before {pause} ms");
            Run(Fast, 1, times: 2);
            Assert.True(IsIn(Slow), $"after {pause} ms");
            // The host gets one trial at a time.
            _loads[Slow].BeginOpening();
            Assert.False(IsIn(Slow));
            _loads[Slow].EndOpening();
            Run(Slow, 10);
            Assert.False(IsIn(Slow));
        }
    }

    [Fact]
    public void A_host_is_re_admitted_after_two_trials_as_fast_as_the_others()
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
    public void A_command_that_was_in_flight_at_the_ejection_is_not_a_trial()
    {
        EjectSlow();
        Run(Fast, 1, times: 200);
        for (var i = 0; i < 10; i++) _loads[Slow].RecordCommand(0, 200);
        Assert.True(IsIn(Slow));
    }

    [Fact]
    public void A_slow_probe_that_becomes_fast_again_replaces_the_trial_commands()
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
    public void Work_of_another_route_delays_the_trial_only_briefly()
    {
        EjectSlow();
        _loads[Slow].Commands.Begin();
        Run(Fast, 1, times: 200);
        Assert.False(IsIn(Slow));
        Run(Fast, 1, times: 1600);
        // The host completes work; otherwise it would be ejected as silent.
        _loads[Slow].Commands.Begin();
        _loads[Slow].Commands.End();
        Assert.True(IsIn(Slow));
    }

    [Fact]
    public void Without_recent_samples_to_compare_no_host_stays_ejected()
    {
        EjectSlow();
        _time.Advance(TimeSpan.FromSeconds(11));
        Run(Slow, 100);
        Assert.Equal(0UL, Ejection.Ejected);
    }

    [Fact]
    public void A_host_that_was_down_starts_without_a_latency_history()
    {
        EjectSlow();
        _loads[Slow].ForgetLatency();
        Assert.Equal(All, Window);
        Assert.Equal(0, Ejection.TypicalMs(Slow));
    }

    [Fact]
    public void A_single_eligible_host_is_never_ejected()
    {
        EjectSlow();
        Assert.Equal(0b001UL, Ejection.Filter(0b001, _loads));
    }

    [Fact]
    public void A_host_that_stalls_is_ejected_while_its_work_is_pending_unless_all_stall()
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
    public void Negative_and_non_finite_latencies_are_ignored(double sample)
    {
        Run(Slow, 2, times: 10);
        _loads[Slow].RecordCommand(0, sample);
        Assert.Equal(2, Ejection.TypicalMs(Slow), 3);
    }

    [Fact]
    public async Task There_is_always_a_candidate_while_samples_are_recorded_concurrently()
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
