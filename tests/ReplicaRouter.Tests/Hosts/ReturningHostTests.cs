using Microsoft.Extensions.Time.Testing;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Hosts;

/// <summary>What counts as a relapse, and who has a vote on the cluster's identity.</summary>
public class ReturningHostTests
{
    private const ulong Other = 42;

    private readonly FakeTimeProvider _time = new();

    private static TestTopology WithoutPrimary(params string[] others) => new TestTopology(["primary", .. others]).Fail("primary", FailureKind.Unreachable);

    private Comeback Returned() => default(Comeback).Failed(_time.GetTimestamp(), _time).Answered(_time.GetTimestamp(), mustProve: false, TimeSpan.Zero, _time);

    [Theory]
    [InlineData(59, 1)]
    [InlineData(60, 0)]
    public void A_host_that_fails_within_a_minute_of_its_return_has_relapsed(int seconds, int relapses)
    {
        var returned = Returned();
        _time.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Equal(relapses, returned.Failed(_time.GetTimestamp(), _time).Relapses);
    }

    [Fact]
    public void A_second_failure_of_a_host_that_is_out_is_no_relapse()
    {
        var failed = Returned().Failed(_time.GetTimestamp(), _time);
        Assert.Equal((true, 1, 1), (failed.IsOut, failed.Relapses, failed.Failed(_time.GetTimestamp(), _time).Relapses));
    }

    [Fact]
    public void A_host_that_never_was_out_has_its_whole_load()
    {
        Assert.Equal((1.0, 0L, false), (default(Comeback).ShareAt(_time.GetTimestamp()), default(Comeback).FullAt, default(Comeback).IsOut));
        Assert.True(Comeback.Arrival.IsOut);
    }

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
