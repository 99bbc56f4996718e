namespace ReplicaRouter.Tests.Topology;

/// <summary>Which positions lie on history that the cluster has left.</summary>
public class AbandonedHistoryTests
{
    private const ulong Cluster = 7;
    private const ulong Other = 42;

    private static AbandonedHistory After(AbandonedHistory history, int before, int present) => history.After((Cluster, before), (Cluster, present), now: 5);

    private static bool IsOn(AbandonedHistory history, int timeline, int present, ulong cluster = Cluster) => history.Contains(new WalPosition(cluster, timeline, 100), present);

    [Fact]
    public void Positions_on_the_timelines_that_the_cluster_has_left_are_abandoned()
    {
        var history = After(default, before: 4, present: 2);
        Assert.Equal([false, true, true, false], new[] { 2, 3, 4, 5 }.Select(timeline => IsOn(history, timeline, present: 2)));
    }

    [Fact]
    public void The_highest_abandoned_timeline_stays_the_limit_until_the_cluster_reaches_it_again()
    {
        var history = After(After(default, before: 4, present: 2), before: 2, present: 1);
        Assert.Equal(4, history.Timeline);
        history = After(history, before: 1, present: 3);
        Assert.Equal((true, false), (IsOn(history, 4, present: 3), IsOn(history, 3, present: 3)));
        Assert.Equal(default(AbandonedHistory), After(history, before: 3, present: 4));
    }

    [Fact]
    public void A_promotion_abandons_nothing() => Assert.Equal(default(AbandonedHistory), After(default, before: 1, present: 2));

    [Fact]
    public void Positions_in_an_abandoned_cluster_are_abandoned_on_every_timeline()
    {
        var history = After(default, before: 4, present: 2).After((Cluster, 2), (Other, 1), now: 9);
        Assert.Equal((Cluster, 9L, 0), (history.SystemIdentifier!.Value, history.IdentitySince, history.Timeline));
        Assert.Equal((true, true), (IsOn(history, 1, present: 1), IsOn(history, 4, present: 1)));
        Assert.False(IsOn(history, 2, present: 1, Other));
        // Later changes of the new cluster leave it so.
        Assert.True(IsOn(history.After((Other, 1), (Other, 2), now: 11), 1, present: 2));
    }

    [Fact]
    public void A_cluster_that_is_accepted_again_is_abandoned_no_longer()
    {
        var history = default(AbandonedHistory).After((Cluster, 2), (Other, 1), now: 5).After((Other, 1), (null, 0), now: 6);
        Assert.Equal((Other, 6L), (history.SystemIdentifier!.Value, history.IdentitySince));
        Assert.Null(history.After((null, 0), (Other, 1), now: 7).SystemIdentifier);
        Assert.Equal(Other, history.After((null, 0), (Cluster, 1), now: 7).SystemIdentifier);
    }

    [Fact]
    public void The_first_identity_abandons_nothing() => Assert.Equal(default(AbandonedHistory), default(AbandonedHistory).After((null, 0), (Cluster, 3), now: 5));
}
