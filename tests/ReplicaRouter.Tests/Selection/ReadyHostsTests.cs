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
        for (var step = 0; step < 30; step++)
        {
            Disturb(topology, random);
            foreach (var plan in topology.Configuration.Routes) Compare(topology, plan, random.Next());
        }
    });

    [Fact]
    public void The_fast_path_is_used_while_all_hosts_are_healthy()
    {
        var topology = new TestTopology(s_hosts);
        topology.Answer("primary", Primary(100));
        foreach (var host in s_hosts[1..]) topology.Answer(host, Replica(100));
        foreach (var plan in topology.Configuration.Routes)
        {
            Assert.True(HostSelection.ChoosePlain(topology.Current, plan, topology.Loads(), new Random(1), topology.Time) >= 0, plan.Name);
        }
    }

    private static void Compare(TestTopology topology, RoutePlan plan, int seed)
    {
        var loads = topology.Loads();
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
