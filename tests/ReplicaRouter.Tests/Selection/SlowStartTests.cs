using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Selection;

public class SlowStartTests
{
    private static readonly string[] s_replicas = ["analytics", "background", "replica-3"];

    private readonly TestTopology _topology = new(["primary", .. s_replicas]);

    /// <summary>Runs closed-loop callers: each starts its next command when its last one has ended.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(64)]
    public void A_returning_host_gets_its_slow_start_share_at_any_concurrency(int callers)
    {
        Return(_topology, "analytics");
        var share = _topology["analytics"].Probation.ShareAt(_topology.Time.GetTimestamp());
        Assert.InRange(share, 0.2, 0.5);

        Assert.InRange(ShareOfAnalytics(callers), share / 3 * 0.75, share / 3 * 1.25);
    }

    [Fact]
    public void Several_returning_hosts_get_their_shares_by_weight_and_the_other_host_gets_the_rest()
    {
        const int Choices = 60_000;
        var topology = new TestTopology(o => o.Hosts["background"].Weight = 3, ["primary", .. s_replicas]);
        Return(topology, "analytics", "background");
        var (now, random) = (topology.Time.GetTimestamp(), new Random(1));
        var share = topology["analytics"].Probation.ShareAt(now);
        Assert.InRange(share, 0.2, 0.5);
        var counts = Enumerable.Range(0, Choices).CountBy(_ => SlowStart.Filter(topology.Current, 0b1110, now, random)).ToDictionary();
        Assert.Equal([0b0010UL, 0b0100UL, 0b1000UL], counts.Keys.Order());
        // The weights are 1, 3 and 1.
        Assert.InRange(counts[0b0010] / (double)Choices, share / 5 * 0.9, share / 5 * 1.1);
        Assert.InRange(counts[0b0100] / (double)Choices, share / 5 * 3 * 0.9, share / 5 * 3 * 1.1);
    }

    [Fact]
    public void Returning_hosts_serve_everything_if_no_other_host_is_left()
    {
        Return(_topology, "analytics", "background");
        var (now, random) = (_topology.Time.GetTimestamp(), new Random(1));
        for (var choice = 0; choice < 100; choice++) Assert.Equal(0b0110UL, SlowStart.Filter(_topology.Current, 0b0110, now, random));
    }

    private double ShareOfAnalytics(int callers)
    {
        const int Reads = 30_000;
        var (loads, random, read) = (_topology.Loads(), new Random(1), _topology.Configuration.PlanOf(DatabaseOperation.Read));
        var underWay = new Queue<HostLoad>();
        var analytics = 0;
        for (var i = 0; i < Reads; i++)
        {
            if (underWay.Count == callers) underWay.Dequeue().Commands.End();
            var host = HostSelection.Choose(_topology.Current, read, RouteRequest.For(read, default, _topology.Time), loads, random).Host!;
            if (host.Name == "analytics") analytics++;
            loads[host.Configuration.Index].Commands.Begin();
            underWay.Enqueue(loads[host.Configuration.Index]);
        }

        return analytics / (double)Reads;
    }

    /// <summary>Takes hosts out, and brings them back a few seconds ago.</summary>
    private static void Return(TestTopology topology, params string[] hosts)
    {
        AnswerAll(topology);
        foreach (var host in hosts) topology.Fail(host, FailureKind.Unreachable);
        topology.Advance(1);
        for (var answers = 0; answers < 3; answers++)
        {
            topology.Advance(0.1);
            foreach (var host in hosts) topology.Answer(host, Replica(100));
        }

        topology.Advance(3);
        AnswerAll(topology);
    }

    private static void AnswerAll(TestTopology topology)
    {
        topology.Answer("primary", Primary(100));
        foreach (var replica in s_replicas) topology.Answer(replica, Replica(100));
    }
}
