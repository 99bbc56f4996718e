using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Hosts;

/// <summary>Which hosts have a vote on the cluster's identity.</summary>
public class IdentityVoteTests
{
    private const ulong Other = 42;

    private static TestTopology WithoutPrimary(params string[] others) => new TestTopology(["primary", .. others]).Fail("primary", FailureKind.Unreachable);

    [Fact]
    [Trait("Failure", "A3")]
    public void Of_two_clusters_with_as_many_servers_the_one_with_a_primary_is_followed()
    {
        var topology = WithoutPrimary("analytics", "background").Answer("analytics", Replica(90, cluster: Other)).Answer("background", Primary(500));
        Assert.Equal(new ClusterIdentity(Cluster, IsFirm: false), topology.Current.Identity);
    }

    [Fact]
    [Trait("Failure", "A3")]
    public void Two_names_of_one_server_have_one_vote_on_the_identity()
    {
        var topology = WithoutPrimary("analytics", "background", "dr", "replica-4")
            .Answer("analytics", Replica(90, cluster: Other)).Answer("background", Replica(90, cluster: Other))
            .Answer("dr", Replica(500) with { StartedAt = 3 }).Answer("replica-4", Replica(500) with { StartedAt = 4 });
        Assert.Equal(Cluster, topology.Current.SystemIdentifier);
    }

    [Fact]
    [Trait("Failure", "A2")]
    public void A_host_that_only_a_caller_reports_as_lost_keeps_its_vote()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(500)).Answer("analytics", Replica(500));
        var now = topology.Advance(1).Time.GetTimestamp();
        topology.Change(current => current.With(new HostObservation(1, now, now, null, new HostFailure(FailureKind.Unreachable, "broken")) { IsFromCaller = true }, topology.Time));
        Assert.Equal(Cluster, topology.Answer("primary", Primary(90, cluster: Other)).Current.SystemIdentifier);
        Assert.Equal(Other, topology.Fail("analytics", FailureKind.Unreachable).Current.SystemIdentifier);
    }
}
