using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Hosts;

public class PassiveHealthLimitTests
{
    private static TestTopology Healthy(params string[] replicas)
    {
        var topology = new TestTopology(["primary", .. replicas]).Answer("primary", Primary(100));
        foreach (var replica in replicas) topology.Answer(replica, Replica(100));
        return topology;
    }

    private static void Accuse(TestTopology topology, string host)
    {
        var now = topology.Advance(0.01).Time.GetTimestamp();
        topology.Change(current => current.With(
            new HostObservation(topology[host].Configuration.Index, now, now, null, new HostFailure(FailureKind.Unreachable, "broken")) { IsFromCaller = true }, topology.Time));
    }

    [Fact]
    public void Reports_of_callers_take_down_at_most_half_of_the_replicas_without_a_probe()
    {
        var topology = Healthy("analytics", "background", "replica-3", "replica-4");
        foreach (var host in new[] { "replica-4", "background", "analytics", "replica-3" }) Accuse(topology, host);
        Assert.Equal([HostState.Suspect, HostState.Down, HostState.Suspect, HostState.Down], topology.Current.Hosts.Skip(1).Select(host => host.State));
        Assert.Equal(("analytics replica-3", Verdict.Eligible), topology.Candidates(DatabaseOperation.Read));

        topology.Advance(0.01).Fail("analytics", FailureKind.Unreachable);
        Assert.Equal(HostState.Down, topology["analytics"].State);
        Assert.Equal("replica-3", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void Reports_of_callers_can_take_down_the_only_replica()
    {
        var topology = Healthy("analytics");
        Accuse(topology, "analytics");
        Assert.Equal("primary", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void A_server_restarted_since_the_callers_report_must_recover()
    {
        var topology = Healthy("analytics", "background");
        Accuse(topology, "analytics");
        topology.Advance(0.2).Answer("analytics", Replica(100) with { StartedAt = 2 });
        Assert.Equal(HostState.Recovering, topology["analytics"].State);
        topology.Advance(0.1).Answer("analytics", Replica(100) with { StartedAt = 2 });
        Assert.Equal(HostState.Healthy, topology["analytics"].State);
        Assert.Equal(0.1, topology["analytics"].Probation.ShareAt(topology.Time.GetTimestamp()), 2);
    }

    [Theory]
    [InlineData(1, "the failure may be in the callers' own network")]
    [InlineData(0, "a pooler's address can lead to several servers")]
    public void A_server_not_restarted_since_the_callers_report_stays_healthy(long startedAt, string why)
    {
        var topology = Healthy("analytics", "background");
        Accuse(topology, "analytics");
        topology.Advance(0.2).Answer("analytics", Replica(100) with { StartedAt = startedAt });
        Assert.True(topology["analytics"] is { State: HostState.Healthy, Probation.FullAt: 0 }, why);
    }
}
