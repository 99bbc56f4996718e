using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Infrastructure;

public class BudgetTests
{
    private readonly FakeTimeProvider _time = new();

    private static int Spend(Budget budget, int wanted) => Enumerable.Range(0, wanted).Count(_ => budget.TrySpend());

    [Fact]
    public void When_everything_fails_retries_stay_within_the_budget()
    {
        var budget = new Budget(_time);
        Assert.Equal(100, Spend(budget, 1000));
        for (var i = 0; i < 1000; i++) budget.Earn();
        Assert.InRange(Spend(budget, 1000), 100, 101);
        for (var i = 0; i < 50; i++) budget.Earn();
        Assert.Equal(10, Spend(budget, 1000));
    }

    [Fact]
    public void The_budget_refills_over_time_without_load()
    {
        var budget = new Budget(_time);
        Spend(budget, 1000);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(10, Spend(budget, 1000));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(100, Spend(budget, 1000));
    }

    [Fact]
    public void A_quantile_tracks_rising_and_falling_values()
    {
        var (quantile, random) = (new Quantile(0.95), new Random(1));
        for (var i = 0; i < 20_000; i++) quantile.Record(1 + (99 * random.NextDouble()));
        Assert.InRange(quantile.Value, 85, 100);
        for (var i = 0; i < 20_000; i++) quantile.Record(1 + (9 * random.NextDouble()));
        Assert.InRange(quantile.Value, 8.5, 10);
    }
}
