using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Hosts;

public class ClusterIdentityTests
{
    private const ulong Other = 42;

    private static TestTopology Known() =>
        new TestTopology("primary", "analytics", "background").Answer("primary", Primary(500, timeline: 7)).Answer("analytics", Replica(500, 7)).Answer("background", Replica(500, 7));

    [Fact]
    [Trait("Failure", "A2")]
    public void A_new_cluster_is_followed_once_all_answering_hosts_belong_to_it()
    {
        var topology = Known().Advance(1).Answer("primary", Primary(90, cluster: Other));
        // Until all agree, the address may simply be wrong.
        Assert.Equal((Cluster, HostState.ForeignCluster), (topology.Current.SystemIdentifier, topology["primary"].State));
        Assert.Equal(Cluster, topology.Answer("analytics", Replica(90, cluster: Other)).Current.SystemIdentifier);
        topology.Fail("background", FailureKind.Unreachable);
        Assert.Equal(Other, topology.Current.SystemIdentifier);
        Assert.Equal(("primary", 1), (topology.Current.Primary?.Name, topology.Current.Timeline));

        topology.Advance(1).Answer("primary", Primary(95, cluster: Other)).Answer("analytics", Replica(95, cluster: Other));
        Assert.Equal((95UL, 1), (topology.Current.Wal.NewestLsn, topology.Current.Wal.Timeline));
        Assert.Equal(("primary", "analytics"), (topology.Candidates(DatabaseOperation.Write).Hosts, topology.Candidates(DatabaseOperation.Read).Hosts));
        Assert.Equal(HostState.ForeignCluster, topology.Answer("background", Replica(500, 7))["background"].State);
    }

    [Fact]
    public void A_single_host_of_another_cluster_does_not_change_the_identity()
    {
        var topology = Known().Advance(1).Answer("primary", Primary(90, cluster: Other)).Advance(3).Answer("primary", Primary(90, cluster: Other)).Answer("analytics", Replica(500, 7));
        Assert.Equal(Cluster, topology.Current.SystemIdentifier);
        Assert.Empty(topology.Candidates(DatabaseOperation.Write).Hosts);
        Assert.Contains("replica-router accept primary", topology["primary"].Error, StringComparison.Ordinal);
        // A single missed probe does not count as silence.
        Assert.Equal(Cluster, topology.Fail("analytics", FailureKind.Timeout).Fail("background", FailureKind.Timeout).Answer("primary", Primary(90, cluster: Other)).Current.SystemIdentifier);
    }

    [Fact]
    [Trait("Failure", "A3")]
    public void The_configured_primary_decides_the_identity_even_after_other_answers()
    {
        var topology = new TestTopology("primary", "analytics", "background").Fail("primary", FailureKind.Unreachable)
            .Answer("background", Replica(90, cluster: Other)).Fail("analytics", FailureKind.Unreachable);
        Assert.Equal(new ClusterIdentity(Other, IsFirm: false), topology.Current.Identity);
        topology.Advance(1).Answer("primary", Primary(500));
        Assert.Equal(new ClusterIdentity(Cluster, IsFirm: true), topology.Current.Identity);
        Assert.Equal(("primary", HostState.ForeignCluster), (topology.Current.Primary?.Name, topology["background"].State));
    }

    [Fact]
    [Trait("Failure", "A3")]
    public void Without_the_configured_primary_the_majority_decides_the_identity()
    {
        var topology = new TestTopology("primary", "analytics", "background", "dr").Fail("primary", FailureKind.Unreachable)
            .Answer("dr", Replica(90, cluster: Other)).Fail("analytics", FailureKind.Unreachable).Fail("background", FailureKind.Unreachable);
        Assert.Equal(Other, topology.Current.SystemIdentifier);
        // On a tie the current identity stays, and the error shows the doubt.
        topology.Advance(1).Answer("analytics", Replica(500));
        Assert.Equal((Other, HostState.ForeignCluster), (topology.Current.SystemIdentifier, topology["analytics"].State));
        Assert.Contains("which most answering servers show: the configured primary has not been seen yet", topology["analytics"].Error, StringComparison.Ordinal);
        topology.Answer("background", Replica(500) with { StartedAt = 3 });
        Assert.Equal((Cluster, HostState.ForeignCluster), (topology.Current.SystemIdentifier, topology["dr"].State));
        // A silent server has no vote.
        topology.Fail("analytics", FailureKind.Unreachable).Fail("background", FailureKind.Unreachable);
        Assert.Equal(Other, topology.Current.SystemIdentifier);
    }

    [Fact]
    public void No_identity_is_decided_while_the_configured_primary_may_still_answer()
    {
        var topology = new TestTopology("primary", "analytics").Answer("analytics", Replica(90, cluster: Other));
        Assert.Null(topology.Current.Identity);
    }

    [Fact]
    [Trait("Failure", "A2")]
    public void An_identity_is_dropped_with_the_last_host_that_has_shown_it()
    {
        var topology = Known();
        var hosts = topology.Current.Hosts.Select(host => host.Configuration with { AddedAt = 5 }).ToList();
        topology.Change(current => current.WithHosts(hosts, topology.Time));
        Assert.Null(topology.Current.Identity);
        Assert.Equal(0, topology.Current.Timeline);
        topology.Answer("primary", Primary(90, cluster: Other));
        Assert.Equal((Other, "primary"), (topology.Current.SystemIdentifier, topology.Current.Primary?.Name));
    }

    [Fact]
    [Trait("Failure", "A2")]
    public void Positions_in_an_abandoned_cluster_are_lost_history()
    {
        var topology = Known();
        var session = new SessionState(topology.Time);
        session.Merge(new SessionToken(new WalPosition(Cluster, 7, 480), default, false), topology.Time.GetTimestamp());
        topology.Advance(1).Answer("primary", Primary(90, cluster: Other)).Answer("analytics", Replica(90, cluster: Other)).Answer("background", Replica(90, cluster: Other));
        Assert.Equal(SessionFinding.LostHistory, session.Demand(topology.Current, topology.Time.GetTimestamp()).Finding);
        Assert.True(session.HasLostHistory);

        // A token of a cluster that this router never knew is foreign, not lost history.
        var stranger = new SessionState(topology.Time);
        stranger.Merge(new SessionToken(new WalPosition(77, 7, 480), default, false), topology.Time.GetTimestamp());
        Assert.Equal(SessionFinding.ForeignToken, stranger.Demand(topology.Current, topology.Time.GetTimestamp()).Finding);
    }

    [Fact]
    public void Writes_without_a_position_in_an_abandoned_cluster_are_lost_history()
    {
        var topology = Known();
        var session = new SessionState(topology.Time);
        session.End(session.Begin(topology["primary"].Configuration, 1, isWrite: true, topology.Time.GetTimestamp()), topology.Time.GetTimestamp());
        topology.Advance(1).Answer("primary", Primary(90, cluster: Other) with { ConnectedAt = topology.Time.GetTimestamp() })
            .Answer("analytics", Replica(90, cluster: Other)).Answer("background", Replica(90, cluster: Other));
        Assert.Equal(SessionFinding.LostHistory, session.Demand(topology.Current, topology.Time.GetTimestamp()).Finding);
    }

    [Fact]
    [Trait("Failure", "A2")]
    public void The_replicas_of_a_new_cluster_must_prove_themselves()
    {
        var topology = Known();
        void AnswerAll()
        {
            topology.Advance(1).Answer("primary", Primary(90, cluster: Other)).Answer("analytics", Replica(90, cluster: Other)).Answer("background", Replica(90, cluster: Other));
        }

        AnswerAll();
        Assert.Equal((HostState.Recovering, HostState.Recovering), (topology["analytics"].State, topology["background"].State));
        AnswerAll();
        AnswerAll();
        Assert.Equal((HostState.Healthy, HostState.Healthy), (topology["analytics"].State, topology["background"].State));
    }

    [Fact]
    [Trait("Failure", "A2")]
    public void The_timelines_of_the_former_cluster_prove_nothing_in_the_new_one()
    {
        var topology = new TestTopology("primary").Answer("primary", Primary(500, timeline: 7));
        var discovered = topology["primary"].Configuration with { Name = "pg-2", Index = 1, AddedAt = 1, IsDiscovered = true, Connection = new Npgsql.NpgsqlConnectionStringBuilder { Host = "10.0.0.2" } };
        topology.Change(current => current.WithHosts([topology["primary"].Configuration, discovered], topology.Time));
        topology.Advance(1).Answer("pg-2", Replica(90, timeline: 3, cluster: Other)).Answer("primary", Primary(90, cluster: Other));
        // No primary of the new cluster was seen on timeline 3, and a source may have named anything.
        Assert.Equal((Other, 1, "primary"), (topology.Current.SystemIdentifier!.Value, topology.Current.Timeline, topology.Current.Primary?.Name));
    }
}
