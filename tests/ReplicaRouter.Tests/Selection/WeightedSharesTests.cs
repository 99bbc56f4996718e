using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Selection;

public class WeightedSharesTests
{
    private readonly TestTopology _topology = new(o => o.Hosts["background"].Weight = 3, "primary", "analytics", "background");
    private readonly Random _random = new(1);

    public WeightedSharesTests() => _topology.Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));

    private int[] Choose(int times, HostLoad[] loads)
    {
        var counts = new int[3];
        var plan = _topology.Configuration.PlanOf(DatabaseOperation.Read);
        for (var i = 0; i < times; i++) counts[HostSelection.ChoosePlain(_topology.Current, plan, loads, _random, _topology.Time)]++;
        return counts;
    }

    [Fact]
    public void Idle_hosts_are_chosen_in_proportion_to_their_weights()
    {
        _topology.Advance(0.1);
        var counts = Choose(40_000, _topology.Loads());
        Assert.InRange(counts[2] / (double)counts[1], 2.8, 3.2);
    }

    /// <summary>Runs closed-loop callers: each starts its next command when its last one has ended.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(64)]
    public void Weighted_shares_hold_at_any_concurrency(int callers)
    {
        _topology.Advance(0.1);
        var loads = _topology.Loads();
        var underWay = new Queue<int>();
        int[] counts = [0, 0, 0];
        for (var i = 0; i < 40_000; i++)
        {
            if (underWay.Count == callers) loads[underWay.Dequeue()].Commands.End();
            var host = HostSelection.ChoosePlain(_topology.Current, _topology.Configuration.PlanOf(DatabaseOperation.Read), loads, _random, _topology.Time);
            loads[host].Commands.Begin();
            underWay.Enqueue(host);
            counts[host]++;
        }

        Assert.InRange(counts[2] / (double)counts[1], 3 * 0.75, 3 * 1.25);
    }

    [Fact]
    public void An_overloaded_host_gets_no_new_work_until_it_is_back_at_its_share()
    {
        _topology.Advance(0.1);
        var loads = _topology.Loads();
        for (var i = 0; i < 3; i++) loads[1].Commands.Begin();
        for (var i = 0; i < 40; i++) loads[2].Commands.Begin();
        Assert.Equal(1000, Choose(1000, loads)[1]);
        for (var i = 0; i < 25; i++) loads[2].Commands.End();
        Assert.InRange(Choose(1000, loads)[2], 700, 800);
    }

    [Fact]
    public void The_work_of_an_overloaded_host_goes_to_the_one_with_the_least_for_its_weight()
    {
        var topology = new TestTopology(o => o.Hosts["background"].Weight = 3, "primary", "analytics", "background", "replica-3");
        var loads = topology.Loads();
        foreach (var (host, inFlight) in new[] { (1, 12), (2, 15), (3, 100) })
        {
            for (var i = 0; i < inFlight; i++) loads[host].Commands.Begin();
        }

        var counts = Enumerable.Range(0, 10_000).CountBy(_ => WeightedShares.Pick(topology.Current, 0b1110, loads, _random)).ToDictionary();
        Assert.Equal([1, 2], counts.Keys.Order());
        // The weights are 1, 3 and 1.
        Assert.InRange(counts[1], 1800, 2200);
    }
}
