using System.Text.Json;

namespace ReplicaRouter.Simulation.Tests;

/// <summary>Small fleets, so that simulated seconds take milliseconds.</summary>
public class SimulatorTests
{
    private static readonly Scenario s_small = new()
    {
        Name = "small",
        Title = "a small fleet",
        Processes = 10,
        RatePerSecond = 600,
        Servers = new ServerModel { Workers = 10_000 },
        Length = TimeSpan.FromSeconds(16),
        From = TimeSpan.FromSeconds(8),
        To = TimeSpan.FromSeconds(15),
        Faulty = [1],
    };

    private static string Json(Figures figures) => JsonSerializer.Serialize(figures);

    [Fact]
    public void The_same_seed_gives_identical_figures_and_another_seed_different_ones()
    {
        var scenario = s_small with { Faults = world => { Fault.Kill(8, 10, 1)(world); Fault.Hang(11, 13, 2)(world); Fault.LocalPauses(TimeSpan.FromSeconds(2))(world); } };
        foreach (var policy in Policy.All)
        {
            var first = Json(Simulator.Run(scenario, policy, 1));
            Assert.Equal(first, Json(Simulator.Run(scenario, policy, 1)));
            Assert.NotEqual(first, Json(Simulator.Run(scenario, policy, 2)));
        }
    }

    [Fact]
    public void Without_faults_all_reads_are_answered_and_replicas_get_equal_shares()
    {
        foreach (var policy in Policy.All)
        {
            var figures = Simulator.Run(s_small, policy, 1);
            Assert.Equal(0, figures.Errors);
            Assert.Equal(0, figures.PrimaryShare);
            Assert.Equal(0, figures.WrongDowns);
            // Peak EWMA avoids a host for seconds after one latency peak.
            if (policy != Policy.PeakEwma) Assert.InRange(figures.ShareSpread, 0, 0.15);
            Assert.InRange(figures.Operations, 3900, 4500);
        }
    }

    [Fact]
    public void Nothing_is_in_flight_after_the_callers_stop()
    {
        var world = new World(s_small with
        {
            Faults = world =>
            {
                Fault.Kill(8, 10, 1)(world);
                Fault.Hang(11, 12, 2)(world);
                world.At(12.5, () => world.Load = 1e-9);
            },
        }, Policy.ProductHedged, 1);
        world.Run();
        Assert.All(world.Processes.SelectMany(process => process.Loads), load => Assert.Equal((0, 0, 0), (load.InFlight, load.Commands.Count, load.Logins.Count)));
        Assert.All(world.Processes.SelectMany(process => process.UnderWay), Assert.Empty);
        Assert.All(world.Servers, server => Assert.Equal(0, server.Queued));
    }

    [Fact]
    public void A_killed_replica_causes_no_errors_and_gets_no_reads_while_down()
    {
        var figures = Simulator.Run(s_small with { Faults = Fault.Kill(8, 20, 1) }, Policy.Product, 1);
        Assert.Equal(0, figures.Errors);
        Assert.InRange(figures.SlowShare, 0, 0.01);
    }

    [Fact]
    public void A_hung_replica_is_found_by_the_products_monitor_and_its_reads_move()
    {
        var figures = Simulator.Run(s_small with { Faults = Fault.Hang(9, 20, 1) }, Policy.Product, 1);
        Assert.Equal(0, figures.Errors);
        Assert.InRange(figures.Seconds[9].P99Ms, 100, 1000);
        Assert.InRange(figures.Seconds[12].P99Ms, 1, 40);
    }

    [Fact]
    public void The_router_avoids_a_slow_replica_and_round_robin_does_not()
    {
        var scenario = s_small with { Faults = Fault.Slow(8, 15, 10, 1) };
        Assert.InRange(Simulator.Run(scenario, Policy.Product, 1).SlowShare, 0, 0.05);
        Assert.InRange(Simulator.Run(scenario, Policy.RoundRobin, 1).SlowShare, 0.3, 0.36);
        Assert.InRange(Simulator.Run(scenario, Policy.Oracle, 1).SlowShare, 0, 0.001);
    }

    [Fact]
    public void A_paused_process_does_not_take_hosts_for_down() =>
        Assert.Equal(0, Simulator.Run(s_small with { Processes = 2, RatePerSecond = 50, Faults = Fault.LocalPauses(TimeSpan.FromSeconds(1)) }, Policy.Product, 1).WrongDowns);

    [Fact]
    public void Every_goal_refers_to_an_existing_scenario()
    {
        var list = new ScenarioList();
        Assert.All(GoalList.For(list), goal => Assert.Contains(list.All, scenario => scenario.Name == goal.Scenario));
        Assert.Equal(list.All.Count, list.All.DistinctBy(scenario => scenario.Name).Count());
    }
}
