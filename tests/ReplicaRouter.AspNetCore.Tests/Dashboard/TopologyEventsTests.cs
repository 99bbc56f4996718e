using ReplicaRouter.Dashboard;
using ReplicaRouter.Dashboard.Feed;
using ReplicaRouter.Tests;

namespace ReplicaRouter.AspNetCore.Tests.Dashboard;

public class TopologyEventsTests
{
    private readonly TestTopology _topology = new("primary", "analytics", "background");
    private readonly TopologyEvents _events = new(() => "alice");

    public TopologyEventsTests() => _topology
        .Answer("primary", TestTopology.Primary(100)).Answer("analytics", TestTopology.Replica(100)).Answer("background", TestTopology.Replica(100));

    [Fact]
    public void Hosts_that_are_healthy_from_the_start_are_no_events()
    {
        var start = TopologySnapshot.Initial(_topology.Configuration);
        Assert.DoesNotContain(_events.Between(start, _topology.Current), happening => happening.Kind is EventKind.Return or EventKind.Failover);
    }

    [Fact]
    public void A_killed_replica_is_an_ejection_with_its_error()
    {
        var happening = Assert.Single(After(topology => topology.Fail("background", FailureKind.Unreachable)));
        Assert.Equal((EventKind.Ejection, Severity.Warning, "background", "is down"), (happening.Kind, happening.Severity, happening.Host, happening.Text));
        // The error's text is for operators only, so it is not the reason.
        Assert.Null(happening.Reason);
        Assert.False(string.IsNullOrEmpty(happening.Error));
    }

    [Fact]
    public void A_lost_primary_and_its_successor_are_failover_events()
    {
        var lost = After(topology => topology.Fail("primary", FailureKind.Unreachable));
        Assert.Contains(lost, happening => happening is { Kind: EventKind.Failover, Severity: Severity.Critical, Host: "primary" });

        var promoted = After(topology => topology.Advance(0.1).Answer("analytics", TestTopology.Primary(120, timeline: 2)));
        var failover = Assert.Single(promoted, happening => happening.Kind == EventKind.Failover);
        Assert.Equal(("analytics", "is the primary now", "in place of primary, timeline 2"), (failover.Host, failover.Text, failover.Reason));
    }

    [Fact]
    public void A_primary_that_returns_is_not_a_new_primary()
    {
        After(topology => topology.Fail("primary", FailureKind.Unreachable));
        var back = new List<Happening>();
        for (var i = 0; i < 20 && _topology.Current.Primary is null; i++) back.AddRange(After(topology => topology.Advance(1).Answer("primary", TestTopology.Primary(100))));
        Assert.Contains(back, happening => happening is { Kind: EventKind.Failover, Severity: Severity.Good, Text: "takes writes again" });
    }

    [Fact]
    public void A_primary_that_an_operator_accepts_is_an_order_and_not_a_promotion()
    {
        var promoted = After(topology => topology.Advance(0.1).Answer("analytics", TestTopology.Primary(120, timeline: 2)));
        Assert.Contains(promoted, happening => happening is { Host: "primary", Text: "takes writes, but is not the cluster's primary: fenced" });

        var accepted = After(topology => topology.Change(current => current.WithAccepted(topology["primary"], topology.Time)));
        var order = Assert.Single(accepted, happening => happening.Kind == EventKind.Override);
        Assert.Equal(("primary", "is accepted as it is", "ordered by alice, in this process only"), (order.Host, order.Text, order.Reason));
        var failover = Assert.Single(accepted, happening => happening.Kind == EventKind.Failover);
        Assert.Equal(("primary", "in place of analytics, timeline 1"), (failover.Host, failover.Reason));
        Assert.Contains(accepted, happening => happening is { Host: "analytics", Text: "takes writes, but is not the cluster's primary: fenced" });
    }

    [Fact]
    public void Orders_of_operators_are_override_events()
    {
        var drained = Assert.Single(After(topology => topology.Change(current => current.WithDrained(1, true, _topology.Time))));
        Assert.Equal(("is drained", "ordered by alice, in this process only"), (drained.Text, drained.Reason));
        Assert.Equal("is restored", Assert.Single(After(topology => topology.Change(current => current.WithDrained(1, false, _topology.Time)))).Text);
        var until = _topology.Time.GetTimestamp() + 1;
        Assert.Equal("All reads are forced to the primary", Assert.Single(After(topology => topology.Change(current => current.WithForcedToPrimary(until, _topology.Time)))).Text);
        Assert.Equal("Reads are no longer forced to the primary", Assert.Single(After(topology => topology.Change(current => current.WithForcedToPrimary(0, _topology.Time)))).Text);
    }

    [Fact]
    public void An_unchanged_topology_is_no_event() =>
        Assert.Empty(After(topology => topology.Advance(0.5).Answer("primary", TestTopology.Primary(101)).Answer("analytics", TestTopology.Replica(101))));

    private List<Happening> After(Action<TestTopology> change)
    {
        var before = _topology.Current;
        change(_topology);
        return [.. _events.Between(before, _topology.Current)];
    }
}
