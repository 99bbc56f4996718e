using ReplicaRouter.Dashboard;
using ReplicaRouter.Dashboard.Feed;

namespace ReplicaRouter.AspNetCore.Tests.Dashboard;

public class HistoryTests
{
    private readonly History _history = new();

    public HistoryTests() => _history.Reorder(["a", "b"]);

    [Fact]
    public void A_step_of_the_hour_has_the_worst_lag_and_latency_and_the_mean_of_rates()
    {
        for (var i = 1; i < 15; i++) Assert.Null(_history.Add(Point(i, lag: i, rate: 10)));
        var step = _history.Add(Point(15, lag: 2, rate: 25));
        Assert.Equal((15L, 14.0, 11.0), (step!.At, step.Lag[0]!.Value, step.Rates[0][0]));
        Assert.Same(step, Assert.Single(_history.LastHour()));
    }

    [Fact]
    public void Only_five_minutes_of_points_and_an_hour_of_steps_are_kept()
    {
        for (var i = 0; i < 4000; i++) _history.Add(Point(i));
        Assert.Equal((History.Points, History.Steps), (_history.LastMinutes().Length, _history.LastHour().Length));
    }

    [Fact]
    public void Points_are_reordered_when_the_hosts_change()
    {
        for (var i = 0; i < 20; i++) _history.Add(Point(i, lag: 7));
        Assert.False(_history.Reorder(["a", "b"]));
        Assert.True(_history.Reorder(["c", "a"]));
        Assert.Equal([null, 7.0], _history.LastMinutes()[0].Lag);
        Assert.Equal([null, 7.0], _history.LastHour()[0].Lag);
    }

    private static HistoryPoint Point(long at, double lag = 0, double rate = 0) => new(at, [lag, lag + 1], [1, 1], [[rate], [rate]]);
}
