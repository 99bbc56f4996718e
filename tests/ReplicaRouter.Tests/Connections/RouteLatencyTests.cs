using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Connections;

public class RouteLatencyTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RouteLatency _latency;

    public RouteLatencyTests() => _latency = new RouteLatency(_time);

    private void Record(int times, double milliseconds)
    {
        for (var i = 0; i < times; i++) Record(milliseconds);
    }

    /// <summary>One after the other: each begins when the one before has ended.</summary>
    private void Record(double milliseconds) => Record(_latency, milliseconds);

    private void Record(RouteLatency latency, double milliseconds)
    {
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        latency.Record(milliseconds);
    }

    /// <summary>Choices that come one each ms.</summary>
    private bool IsTriedNext()
    {
        _time.Advance(TimeSpan.FromMilliseconds(1));
        return _latency.IsToBeTried(isIdle: true);
    }

    [Fact]
    public void The_first_few_samples_are_not_compared()
    {
        Record(2, 1);
        Assert.Equal((0, 0), (_latency.Ms, _latency.LeastMs));
        Record(1, 1);
        Assert.Equal(1, _latency.Ms, 6);
    }

    [Fact]
    public void In_the_first_second_only_what_is_beyond_chance_tells_hosts_apart()
    {
        Record(5, 15);
        Assert.Equal(5, _latency.LeastMs, 3);
        _time.Advance(TimeSpan.FromSeconds(1));
        Record(1, 15);
        Assert.Equal(15, _latency.LeastMs, 3);
    }

    [Fact]
    public void A_single_command_that_waited_for_a_processor_does_not_make_a_host_slow()
    {
        Record(40, 1);
        Record(1, 9);
        Assert.InRange(_latency.Ms, 1, 2);
        Record(1, 60);
        Assert.InRange(_latency.Ms, 2, 60);
    }

    [Fact]
    public void Commands_that_were_held_up_together_count_once()
    {
        Record(40, 1);
        Record(1, 9);
        var slow = _latency.Ms;
        for (var i = 0; i < 10; i++) _latency.Record(9);
        Assert.Equal(slow, _latency.Ms);
        Record(1, 9);
        Assert.InRange(_latency.Ms, 2 * slow, 9);
    }

    [Fact]
    public void One_command_ten_times_as_slow_as_usual_shows_that_the_host_is_slow_where_all_take_about_the_same()
    {
        var random = new Random(1);
        Record(1, 4);
        _time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 40; i++) Record(3 + (2 * random.NextDouble()));
        Record(1, 40);
        Assert.InRange(_latency.LeastMs, 2 * 4, 40);
    }

    [Fact]
    public void Two_in_a_row_show_it_where_they_differ_much()
    {
        var random = new Random(1);
        Record(1, 1);
        _time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 200; i++) Record(random.NextDouble() < 0.8 ? 1 : 5);
        for (var i = 0; i < 5; i++) Record(1);
        Record(1, 15);
        Assert.InRange(_latency.LeastMs, 0.5, 2.5);
        Record(1, 15);
        Assert.InRange(_latency.LeastMs, 2.5, 15);
    }

    [Fact]
    public void Reports_among_look_ups_are_no_difference_between_hosts()
    {
        // Two hosts with the same work: how often would one be left out for being twice as slow as the other?
        var (random, other, leftOut) = (new Random(1), new RouteLatency(_time), 0);
        for (var i = 0; i < 100_000; i++)
        {
            Record(Draw());
            Record(other, Draw());
            if (_latency.LeastMs > Math.Max(2 * other.Ms, other.Ms + 0.5)) leftOut++;
        }

        Assert.InRange(leftOut, 0, 3000);

        double Draw() => random.NextDouble() switch { < 0.8 => 1, < 0.98 => 5, _ => 200 };
    }

    [Fact]
    public void A_host_that_is_left_out_is_tried_as_soon_as_a_probe_takes_as_long_as_usual_and_else_after_some_choices()
    {
        Record(5, 40);
        Assert.False(_latency.IsToBeTried(isIdle: true));
        _latency.RecordProbe(isUsual: false);
        Assert.False(_latency.IsToBeTried(isIdle: true));
        _latency.RecordProbe(isUsual: true);
        Assert.False(_latency.IsToBeTried(isIdle: false));
        Assert.True(_latency.IsToBeTried(isIdle: true));
        Record(4);
        Assert.Equal(4, _latency.Ms, 3);

        var unprobed = new RouteLatency(_time);
        for (var i = 0; i < 5; i++) Record(unprobed, 40);
        Assert.Equal(200, Enumerable.Range(1, 399).First(_ => unprobed.IsToBeTried(isIdle: true)));
    }

    [Fact]
    public void Each_failed_trial_doubles_the_choices_until_the_next_up_to_sixteen_hundred()
    {
        Record(5, 40);
        var trials = 0;
        // After 100, 200, 400, 800, and then each 1,600.
        for (var choice = 0; choice < 8000; choice++)
        {
            var isTried = IsTriedNext();
            _latency.RecordProbe(isUsual: true);
            if (!isTried) continue;
            trials++;
            Record(40);
        }

        Assert.InRange(trials, 8, 9);
    }

    [Fact]
    public void However_many_choices_there_are_trials_cost_time_as_well_up_to_1600_ms()
    {
        Record(5, 40);
        List<TimeSpan> trials = [];
        var start = _time.GetTimestamp();
        for (var ms = 0; ms < 5000; ms++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            for (var choice = 0; choice < 20; choice++)
            {
                _latency.RecordProbe(isUsual: true);
                if (!_latency.IsToBeTried(isIdle: true)) continue;
                trials.Add(_time.GetElapsedTime(start));
                _latency.Record(40);
            }
        }

        Assert.Equal([50, 100, 200, 400, 800, 1600], trials.Zip(trials.Skip(1), (one, next) => (int)(next - one).TotalMilliseconds / 25 * 25).Take(6));
    }

    [Fact]
    public void Trials_of_a_host_that_is_well_for_its_trial_only_become_rarer_as_well()
    {
        var trials = 0;
        for (var choice = 0; choice < 8000; choice++)
        {
            if (!_latency.IsLeftOut) Record(5, 40);
            var isTried = IsTriedNext();
            _latency.RecordProbe(isUsual: true);
            if (!isTried) continue;
            trials++;
            Record(1, 1);
            _latency.IsToComeBack(_time.GetTimestamp(), moment: 0);
        }

        Assert.InRange(trials, 8, 16);
    }

    [Fact]
    public void While_probes_are_slow_too_a_trial_costs_fifty_times_as_many_choices()
    {
        Record(5, 40);
        Assert.Equal(1, Enumerable.Range(0, 10_000).Count(_ =>
        {
            _latency.RecordProbe(isUsual: false);
            if (!_latency.IsToBeTried(isIdle: true)) return false;
            Record(40);
            return true;
        }));
    }

    [Fact]
    public void A_failed_trial_does_not_forget_that_probes_are_slow()
    {
        Record(5, 40);
        _latency.IsToBeTried(isIdle: true);
        _latency.RecordProbe(isUsual: false);
        var trials = 0;
        for (var choice = 0; choice < 30_000; choice++)
        {
            if (!IsTriedNext()) continue;
            trials++;
            Record(40);
        }

        Assert.InRange(trials, 2, 3);
    }

    [Fact]
    public void Forgotten_it_starts_anew()
    {
        Record(5, 40);
        _latency.Reset();
        Assert.Equal(0, _latency.Ms);
        Record(5, 1);
        Assert.Equal(1, _latency.Ms, 3);
    }
}
