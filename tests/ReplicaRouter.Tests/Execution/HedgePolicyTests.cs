namespace ReplicaRouter.Tests.Execution;

public class HedgePolicyTests
{
    private readonly HedgePolicy _policy = new();

    private static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private void Reads(int count, double milliseconds)
    {
        for (var i = 0; i < count; i++) _policy.Ended(Ms(milliseconds));
    }

    /// <summary>Hedges until the policy refuses, each hedge taking the given time, and returns their number.</summary>
    private int Hedges(double milliseconds)
    {
        var count = 0;
        for (; count < 1000 && _policy.TryBegin() is { } setAside; count++) _policy.HedgeEnded(setAside, Ms(milliseconds));
        return count;
    }

    [Fact]
    public void There_is_no_hedge_until_the_duration_of_reads_is_known()
    {
        Assert.Null(_policy.Delay);
        Assert.Null(_policy.TryBegin());
        Reads(20, 5);
        Assert.InRange(_policy.Delay!.Value.TotalMilliseconds, 4, 6);
        Assert.Null(new HedgePolicy().Delay);
    }

    [Fact]
    public void At_most_five_hedges_run_at_once()
    {
        Reads(20, 50);
        Assert.Equal(5, Enumerable.Range(0, 100).Count(_ => _policy.TryBegin() is not null));
    }

    [Fact]
    public void More_than_five_hedges_run_at_once_if_their_total_work_is_small()
    {
        Reads(20, 2);
        Assert.InRange(Enumerable.Range(0, 1000).Count(_ => _policy.TryBegin() is not null), 40, 60);
    }

    [Fact]
    public void Hedges_take_less_than_a_twentieth_of_the_time_of_all_reads_in_the_long_run()
    {
        Reads(100, 5);
        Hedges(5);
        Reads(1000, 5);
        // Spends what was saved up, and what the reads have earned since.
        Assert.InRange(Hedges(5), 4, 60);
        var total = 0;
        for (var i = 0; i < 100; i++)
        {
            Reads(20, 5);
            total += Hedges(5);
        }

        Assert.InRange(total, 80, 99);
    }

    [Fact]
    public void A_hedged_report_costs_as_much_budget_as_many_look_ups()
    {
        Reads(200, 2);
        Assert.Equal(1, Hedges(200));
        Reads(1000, 2);
        Assert.Equal(0, Hedges(200));
        Reads(200, 2);
        Assert.Equal(1, Hedges(200));
    }

    [Fact]
    public void A_read_that_failed_does_not_show_how_long_reads_take()
    {
        for (var i = 0; i < 100; i++) _policy.Ended(Ms(500), isAnswered: false);
        Assert.Null(_policy.Delay);
        Reads(20, 5);
        var delay = _policy.Delay;
        for (var i = 0; i < 100; i++) _policy.Ended(Ms(500), isAnswered: false);
        Assert.Equal(delay, _policy.Delay);
    }

    [Fact]
    public void A_hedge_that_could_not_begin_costs_nothing()
    {
        Reads(20, 50);
        Assert.Equal(1000, Hedges(0));
        Assert.Equal(5, Enumerable.Range(0, 100).Count(_ => _policy.TryBegin() is not null));
    }
}
