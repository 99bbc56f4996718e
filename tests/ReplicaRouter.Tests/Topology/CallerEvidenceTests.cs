using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Topology;

public class CallerEvidenceTests
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
    public void Callers_alone_take_out_half_of_the_replicas_and_a_probe_the_rest()
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
    public void The_only_replica_may_be_taken_out_by_them()
    {
        var topology = Healthy("analytics");
        Accuse(topology, "analytics");
        Assert.Equal("primary", topology.Candidates(DatabaseOperation.Read).Hosts);
    }
}
