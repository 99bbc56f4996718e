namespace ReplicaRouter.Tests.Connections;

public class RouteLatencyTests : LatencyTest
{
    [Fact]
    public void The_first_few_samples_are_not_compared()
    {
        Record(2, 1);
        Assert.Equal((0, 0), (Latency.Ms, Latency.LeastMs));
        Record(1, 1);
        Assert.Equal(1, Latency.Ms, 6);
    }

    [Fact]
    public void In_the_first_second_only_what_is_beyond_chance_tells_hosts_apart()
    {
        Record(5, 15);
        Assert.Equal(5, Latency.LeastMs, 3);
        Time.Advance(TimeSpan.FromSeconds(1));
        Record(1, 15);
        Assert.Equal(15, Latency.LeastMs, 3);
    }

    [Fact]
    public void A_single_command_that_waited_for_a_processor_does_not_make_a_host_slow()
    {
        Record(40, 1);
        Record(1, 9);
        Assert.InRange(Latency.Ms, 1, 2);
        Record(1, 60);
        Assert.InRange(Latency.Ms, 2, 60);
    }

    [Theory]
    [InlineData(0.4, true)]
    [InlineData(0.05, false)]
    public void A_host_that_is_fast_now_and_then_and_stands_still_in_between_is_slow(double share, bool isSlow)
    {
        var random = new Random(1);
        Record(1, 0.2);
        Time.Advance(TimeSpan.FromSeconds(1));
        Record(40, 0.2);
        // Twice what a host takes that is fast always, or 1 ms more.
        const double Limit = 1.2;
        var slow = 0;
        for (var i = 0; i < 200; i++)
        {
            Record(random.NextDouble() < share ? 20 : 0.2);
            if (Latency.LeastMs > Limit) slow++;
        }

        if (isSlow) Assert.InRange(slow, 180, 200);
        else Assert.InRange(slow, 0, 10);
    }

    [Fact]
    public void Commands_that_were_held_up_together_count_once()
    {
        Record(40, 1);
        Record(1, 9);
        var slow = Latency.Ms;
        for (var i = 0; i < 10; i++) Latency.Record(9);
        Assert.Equal(slow, Latency.Ms);
        Record(1, 9);
        Assert.InRange(Latency.Ms, 2 * slow, 9);
    }

    [Fact]
    public void One_command_ten_times_as_slow_as_usual_shows_that_the_host_is_slow_where_all_take_about_the_same()
    {
        var random = new Random(1);
        Record(1, 4);
        Time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 40; i++) Record(3 + (2 * random.NextDouble()));
        Record(1, 40);
        Assert.InRange(Latency.LeastMs, 2 * 4, 40);
    }

    [Fact]
    public void Two_in_a_row_show_it_where_they_differ_much()
    {
        var random = new Random(1);
        Record(1, 1);
        Time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 200; i++) Record(random.NextDouble() < 0.8 ? 1 : 5);
        for (var i = 0; i < 5; i++) Record(1);
        Record(1, 15);
        Assert.InRange(Latency.LeastMs, 0.5, 2.5);
        Record(1, 15);
        Assert.InRange(Latency.LeastMs, 2.5, 15);
    }

    [Fact]
    public void Reports_among_look_ups_are_no_difference_between_hosts()
    {
        Assert.InRange(TimesLeftOut(random => random.NextDouble() switch { < 0.8 => 1, < 0.98 => 5, _ => 200 }, toleranceMs: 0.5), 0, 3000);
    }

    /// <summary>As on a machine that is overloaded, where most of what commands take is waiting for a processor.</summary>
    [Fact]
    public void Where_commands_differ_by_their_multiples_hosts_are_not_told_apart_by_a_few_of_them()
    {
        Assert.InRange(TimesLeftOut(DrawUnlike, toleranceMs: 1), 0, 100);
    }

    [Fact]
    public void They_are_still_told_apart_when_one_gets_much_slower()
    {
        var random = new Random(1);
        for (var i = 0; i < 1000; i++) Record(DrawUnlike(random));
        var before = Latency.Ms;
        var needed = 0;
        for (; Latency.LeastMs < 2 * before; needed++) Record(10 * DrawUnlike(random));
        Assert.InRange(needed, 2, 60);
    }

    /// <summary>Log-uniform over a factor of fifty: the typical deviation is a factor of three.</summary>
    private static double DrawUnlike(Random random) => 0.5 * Math.Exp(Math.Log(50) * random.NextDouble());

    /// <summary>Two hosts with the same work: how often would one be left out for being twice as slow as the other?</summary>
    private int TimesLeftOut(Func<Random, double> draw, double toleranceMs)
    {
        var (random, other, leftOut) = (new Random(1), new RouteLatency(Time), 0);
        for (var i = 0; i < 100_000; i++)
        {
            Record(draw(random));
            Record(other, draw(random));
            if (Latency.LeastMs > Math.Max(2 * other.Ms, other.Ms + toleranceMs)) leftOut++;
        }

        return leftOut;
    }
}
