namespace ReplicaRouter.Simulation.Tests;

public class LoadTests
{
    private const int Seconds = 50;

    private static double[] MeansBySecond(int seed)
    {
        var demand = new Demand(Workload.Shifting, seed);
        return [.. Enumerable.Range(0, Seconds).Select(second => demand.At(second * TimeSpan.TicksPerSecond).MeanMs)];
    }

    [Fact]
    public void Shifting_shares_differ_in_each_second_and_are_equal_for_equal_seeds()
    {
        var means = MeansBySecond(1);
        Assert.Equal(Seconds, means.Distinct().Count());
        Assert.Equal(means, MeansBySecond(1));
        Assert.NotEqual(means, MeansBySecond(2));
        Assert.InRange(means.Max() / means.Min(), 3, 200);
    }

    [Fact]
    public void Shares_are_constant_within_a_second_and_independent_of_earlier_calls()
    {
        var demand = new Demand(Workload.Shifting, 1);
        var last = demand.At((Seconds - 1) * TimeSpan.TicksPerSecond);
        Assert.Same(last, demand.At((Seconds * TimeSpan.TicksPerSecond) - 1));
        Assert.Equal(MeansBySecond(1)[^1], last.MeanMs);
    }

    [Fact]
    public void The_mean_of_a_second_is_the_mean_cost_of_its_queries()
    {
        var random = new Random(1);
        var workload = new Demand(Workload.Shifting, 1).At(TimeSpan.TicksPerSecond);
        double[] costs = [.. Enumerable.Range(0, 100_000).Select(_ => workload.Draw(random))];
        Assert.All(costs, cost => Assert.True(cost is 1 or 5 or 200));
        Assert.InRange(costs.Average() / workload.MeanMs, 0.95, 1.05);
    }

    [Fact]
    public void A_workload_without_shifts_is_the_same_in_every_second() =>
        Assert.Same(Workload.Mixed, new Demand(Workload.Mixed, 1).At(10 * TimeSpan.TicksPerSecond));

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void Closed_loops_keep_exactly_one_read_in_flight_per_caller(int callers)
    {
        var underWay = new List<int>();
        var scenario = new Scenario
        {
            Name = "loops",
            Title = "closed loops",
            Processes = 1,
            ClosedLoops = callers,
            Length = TimeSpan.FromSeconds(10),
            From = TimeSpan.FromSeconds(6),
            To = TimeSpan.FromSeconds(9),
            Faults = world =>
            {
                for (var i = 0; i < 300; i++) world.At(6 + (i * 0.01), () => underWay.Add(world.Processes[0].UnderWay.Sum(runs => runs.Count)));
            },
        };
        var figures = Simulator.Run(scenario, Policy.Product, 1);
        Assert.Equal(Enumerable.Repeat(callers, 300), underWay);
        // Each caller runs one read after another: 4 ms of work and half a millisecond on the network.
        Assert.InRange(figures.Operations, 500 * callers, 800 * callers);
        Assert.Equal(0, figures.Errors);
    }
}
