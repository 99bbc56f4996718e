using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Selection;

public class WeightedTwoChoicesTests
{
    private readonly TestTopology _topology = new(o => o.Hosts["background"].Weight = 3, "primary", "analytics", "background");
    private readonly Random _random = new(1);

    public WeightedTwoChoicesTests() => _topology.Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));

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

    [Fact]
    public void The_one_with_less_work_for_its_weight_is_chosen()
    {
        _topology.Advance(0.1);
        var loads = _topology.Loads();
        for (var i = 0; i < 2; i++) loads[1].Commands.Begin();
        for (var i = 0; i < 5; i++) loads[2].Commands.Begin();
        Assert.Equal(1000, Choose(1000, loads)[2]);
        for (var i = 0; i < 2; i++) loads[2].Commands.Begin();
        Assert.Equal(1000, Choose(1000, loads)[1]);
    }
}
