using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Hosts;

public class ProbationTests
{
    private static TestTopology Healthy() => new TestTopology("primary", "analytics", "background")
        .Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));

    private static TestTopology Out(TestTopology topology, string host = "analytics") => topology.Fail(host, FailureKind.Unreachable);

    private static double Share(TestTopology topology, string host = "analytics") => topology[host].Probation.ShareAt(topology.Time.GetTimestamp());

    [Fact]
    public void A_replica_returns_with_its_second_answer_and_a_primary_with_its_first()
    {
        var topology = Out(Healthy());
        Assert.Equal(HostState.Recovering, topology.Advance(0.1).Answer("analytics", Replica(100))["analytics"].State);
        Assert.Equal(HostState.Healthy, topology.Advance(0.1).Answer("analytics", Replica(100))["analytics"].State);
        Assert.Equal(HostState.Healthy, Out(topology, "primary").Advance(0.1).Answer("primary", Primary(100))["primary"].State);
    }

    [Fact]
    public void A_failure_during_recovery_restarts_it()
    {
        var topology = Out(Healthy()).Answer("analytics", Replica(100)).Fail("analytics", FailureKind.Restarting).Advance(0.1).Answer("analytics", Replica(100));
        Assert.Equal(HostState.Recovering, topology["analytics"].State);
    }

    [Fact]
    public void Each_flap_doubles_the_probation_S20()
    {
        var topology = Healthy();
        var waits = new List<double>();
        for (var relapse = 0; relapse < 12; relapse++)
        {
            Out(topology);
            var wait = 0.0;
            for (topology.Answer("analytics", Replica(100)); topology["analytics"].State != HostState.Healthy; wait += 0.05) topology.Advance(0.05).Answer("analytics", Replica(100));
            waits.Add(wait);
            topology.Advance(1);
        }

        Assert.True(waits[0] <= 0.05, "The first loss must not count as flapping.");
        Assert.Equal([0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30], waits.Skip(1).Take(10).Select(wait => Math.Round(wait, 2)));
        topology.Advance(61).Answer("analytics", Replica(100));
        Out(topology).Answer("analytics", Replica(100)).Advance(0.1).Answer("analytics", Replica(100));
        Assert.Equal(HostState.Healthy, topology["analytics"].State);
    }

    [Fact]
    public void The_slow_start_share_rises_from_a_tenth_to_one_within_ten_seconds()
    {
        var topology = Healthy();
        Assert.Equal(1, Share(topology));
        Out(topology).Answer("analytics", Replica(100)).Advance(0.1).Answer("analytics", Replica(100));
        Assert.Equal(0.1, Share(topology), 2);
        Assert.Equal(0.5, Share(topology.Advance(5)), 2);
        Assert.Equal(1, Share(topology.Advance(5)), 2);
    }

    [Theory]
    [InlineData(1, 0.1)]
    [InlineData(450, 0.4)]
    [InlineData(1000, 0.88)]
    [InlineData(10_000, 1)]
    public void In_a_larger_fleet_slow_start_begins_with_a_larger_share(int probers, double share)
    {
        var topology = Healthy().Answer("primary", Primary(100) with { Probers = probers });
        // The host has seen only the first probers come back.
        Out(topology).Answer("analytics", Replica(100) with { Probers = 2 }).Advance(0.1).Answer("analytics", Replica(100) with { Probers = 2 });
        Assert.Equal(share, Share(topology), 2);
    }

    [Fact]
    public void The_share_of_choices_follows_the_slow_start_H8()
    {
        var topology = Out(Healthy()).Answer("analytics", Replica(100)).Advance(0.1).Answer("analytics", Replica(100));
        Assert.InRange(ShareOfChoices(topology), 0.02, 0.09);
        Assert.InRange(ShareOfChoices(Later(topology)), 0.2, 0.3);
        Assert.InRange(ShareOfChoices(Later(topology)), 0.45, 0.55);
    }

    private static TestTopology Later(TestTopology topology) =>
        topology.Advance(5).Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));

    private static double ShareOfChoices(TestTopology topology)
    {
        var plan = topology.Configuration.PlanOf(DatabaseOperation.Read);
        var (loads, random, chosen) = (topology.Loads(), new Random(1), 0);
        for (var i = 0; i < 5000; i++)
        {
            if (HostSelection.Choose(topology.Current, plan, RouteRequest.For(plan, default, topology.Time), loads, random).Host!.Name == "analytics") chosen++;
        }

        return chosen / 5000.0;
    }
}
