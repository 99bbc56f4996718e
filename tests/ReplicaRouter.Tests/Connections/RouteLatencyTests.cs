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

    /// <summary>As on a machine that is overloaded, where most of what commands take is waiting for a processor.</summary>
    [Fact]
    public void Where_commands_differ_by_their_multiples_hosts_are_not_told_apart_by_a_few_of_them()
    {
        var (random, other, leftOut) = (new Random(1), new RouteLatency(_time), 0);
        for (var i = 0; i < 100_000; i++)
        {
            Record(Draw());
            Record(other, Draw());
            if (_latency.LeastMs > Math.Max(2 * other.Ms, other.Ms + 1)) leftOut++;
        }

        Assert.InRange(leftOut, 0, 100);

        // Log-uniform over a factor of fifty: the typical deviation is a factor of three.
        double Draw() => 0.5 * Math.Exp(Math.Log(50) * random.NextDouble());
    }

    [Fact]
    public void They_are_still_told_apart_when_one_gets_much_slower()
    {
        var random = new Random(1);
        for (var i = 0; i < 1000; i++) Record(0.5 * Math.Exp(Math.Log(50) * random.NextDouble()));
        var before = _latency.Ms;
        var needed = 0;
        for (; _latency.LeastMs < 2 * before; needed++) Record(5 * Math.Exp(Math.Log(50) * random.NextDouble()));
        Assert.InRange(needed, 2, 60);
    }
}
