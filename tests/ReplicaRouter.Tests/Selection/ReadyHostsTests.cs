using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Selection;

/// <summary>The fast path must never choose another host than the full selection.</summary>
public sealed class ReadyHostsTests
{
    private static readonly string[] s_hosts = ["primary", "analytics", "background", "dr", "replica-5"];

    [Property(MaxTest = 2_000)]
    public Property The_fast_path_chooses_the_same_host_as_the_full_selection() => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
    {
        var random = new Random(seed);
        var topology = new TestTopology(s_hosts);
        var loads = topology.Loads();
        for (var step = 0; step < 30; step++)
        {
            Disturb(topology, random);
            Work(topology, loads, random);
            foreach (var plan in topology.Configuration.Routes)
            {
                Compare(topology, plan, loads, random.Next());
                // What the first choice at a moment finds out can spare the second one its checks.
                Compare(topology, plan, loads, random.Next());
            }
        }
    });

    [Fact]
    public void The_fast_path_is_used_while_all_hosts_are_healthy()
    {
        var topology = Healthy();
        foreach (var plan in topology.Configuration.Routes)
        {
            Assert.True(HostSelection.ChoosePlain(topology.Current, plan, topology.Loads(), new Random(1), topology.Time) >= 0, plan.Name);
        }
    }

    [Fact]
    public void The_fast_path_never_chooses_an_ejected_host_however_often_it_chooses_at_one_moment()
    {
        var topology = Healthy();
        var (loads, read) = (topology.Loads(), topology.Configuration.PlanOf(DatabaseOperation.Read));
        RunUsualReads(loads);
        RunSlowReads(topology, loads[1]);
        // The slow host has the least to do.
        loads[2].Commands.Begin();
        loads[4].Commands.Begin();
        for (var choice = 0; choice < 10; choice++) Assert.NotEqual(1, Choose(excluded: 0));
        topology.Advance(0.001);
        Assert.Equal((2, 4), (Choose(excluded: 0b10010), Choose(excluded: 0b00110)));
        // All hosts that are wanted are fast, but the next choice wants the slow one as well.
        Assert.NotEqual(1, Choose(excluded: 0b00010));
        Assert.NotEqual(1, Choose(excluded: 0));

        int Choose(ulong excluded) => HostSelection.ChoosePlain(topology.Current, read, loads, new Random(1), topology.Time, excluded);
    }

    [Fact]
    public void The_fast_path_leaves_the_choice_to_the_full_selection_if_all_hosts_are_excluded_or_one_accepts_no_logins()
    {
        var topology = Healthy();
        var read = topology.Configuration.PlanOf(DatabaseOperation.Read);
        Assert.Equal(-1, HostSelection.ChoosePlain(topology.Current, read, topology.Loads(), new Random(1), topology.Time, excluded: 0b10110));
        topology.Change(t => t.WithLogin(2, new HostFailure(FailureKind.Full, "full"), topology.Time.GetTimestamp(), topology.Time));
        Assert.Equal(-1, HostSelection.ChoosePlain(topology.Current, read, topology.Loads(), new Random(1), topology.Time));
    }

    private static TestTopology Healthy()
    {
        var topology = new TestTopology(s_hosts);
        topology.Answer("primary", Primary(100));
        foreach (var host in s_hosts[1..]) topology.Answer(host, Replica(100));
        return topology;
    }

    /// <summary>Lets hosts work, so that some become slow, silent or busy.</summary>
    private static void Work(TestTopology topology, HostLoad[] loads, Random random)
    {
        var load = loads[random.Next(loads.Length)];
        switch (random.Next(5))
        {
            case 0: RunUsualReads(loads); break;
            case 1: RunSlowReads(topology, load); break;
            case 2: load.Commands.Begin(); break;
            case 3: load.Commands.End(); break;
            default: break;
        }

        // Work of one moment shows at the next one.
        topology.Advance(0.001);
    }

    private static void RunUsualReads(HostLoad[] loads)
    {
        for (var sample = 0; sample < 100; sample++)
        {
            foreach (var load in loads) load.RecordCommand((int)DatabaseOperation.Read, 1);
        }
    }

    private static void RunSlowReads(TestTopology topology, HostLoad load)
    {
        for (var sample = 0; sample < 2; sample++)
        {
            topology.Advance(0.1);
            load.RecordCommand((int)DatabaseOperation.Read, 100);
        }
    }

    private static void Compare(TestTopology topology, RoutePlan plan, HostLoad[] loads, int seed)
    {
        var index = HostSelection.ChoosePlain(topology.Current, plan, loads, new Random(seed), topology.Time);
        if (index < 0) return;
        var choice = HostSelection.Choose(topology.Current, plan, RouteRequest.For(plan, default, topology.Time), loads, new Random(seed));
        Assert.Equal(choice.Host?.Configuration.Index, index);
        Assert.Equal(Verdict.Eligible, choice.Fallback);
    }

    private static void Disturb(TestTopology topology, Random random)
    {
        var host = s_hosts[random.Next(s_hosts.Length)];
        var lsn = (ulong)random.Next(90, 110);
        switch (random.Next(10))
        {
            case 0: topology.Fail(host, FailureKind.Unreachable); break;
            case 1: topology.Fail(host, FailureKind.Timeout); break;
            case 2: topology.Change(t => t.WithDrained(random.Next(s_hosts.Length), random.Next(2) == 0, topology.Time)); break;
            case 3: topology.Change(t => t.WithForcedToPrimary(topology.Time.GetTimestamp() + topology.Time.Ticks(TimeSpan.FromSeconds(1)), topology.Time)); break;
            case 4: topology.Change(t => t.WithLogin(random.Next(s_hosts.Length), random.Next(2) == 0 ? new HostFailure(FailureKind.Full, "full") : null, topology.Time.GetTimestamp(), topology.Time)); break;
            case 5: topology.Advance(random.NextDouble() * 6); break;
            case 6 when random.Next(4) == 0: topology.Answer(host, Primary(lsn, timeline: 2)); break;
            default: topology.Answer(host, host == "primary" ? Primary(lsn) : Replica(lsn)); break;
        }
    }
}
