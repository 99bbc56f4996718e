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
        AnswerAll();
        _topology.Fail("analytics", FailureKind.Unreachable).Advance(1);
        for (var answers = 0; answers < 3; answers++) _topology.Advance(0.1).Answer("analytics", Replica(100));
        _topology.Advance(3);
        AnswerAll();
        var share = _topology["analytics"].Probation.ShareAt(_topology.Time.GetTimestamp());
        Assert.InRange(share, 0.2, 0.5);

        Assert.InRange(ShareOfAnalytics(callers), share / 3 * 0.75, share / 3 * 1.25);
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

    private void AnswerAll()
    {
        _topology.Answer("primary", Primary(100));
        foreach (var replica in s_replicas) _topology.Answer(replica, Replica(100));
    }
}
