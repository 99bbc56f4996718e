using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Topology;

/// <summary>Faults of the configuration that stop the start of the application.</summary>
public class MisconfigurationTests
{
    private readonly TestTopology _topology = new("primary", "analytics");

    private IReadOnlyList<string> Faults => Misconfiguration.Find(_topology.Current);

    [Fact]
    public void Without_a_primary_among_the_configured_hosts_the_fault_names_the_first_one()
    {
        _topology.Answer("primary", Replica(500)).Answer("analytics", Replica(500) with { StartedAt = 2 });
        Assert.StartsWith("Host 'primary': 10.0.0.1:5432 is a standby, and so is every other host", Assert.Single(Faults), StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_that_does_not_serve_may_be_the_missing_primary()
    {
        _topology.Answer("primary", Replica(500)).Fail("analytics", FailureKind.Unreachable);
        Assert.Empty(Faults);
    }

    [Fact]
    public void A_cluster_with_a_primary_has_no_fault_wherever_the_primary_is()
    {
        _topology.Answer("primary", Replica(500)).Answer("analytics", Primary(500));
        Assert.Empty(Faults);
    }

    [Fact]
    public void A_host_that_is_down_is_no_fault_and_one_that_refuses_the_login_is()
    {
        _topology.Answer("primary", Primary(500)).Fail("analytics", FailureKind.Unreachable);
        Assert.Empty(Faults);
        _topology.Fail("analytics", FailureKind.Misconfigured);
        Assert.Equal("Host 'analytics': Misconfigured", Assert.Single(Faults));
    }

    [Fact]
    public void Two_standbys_that_are_one_server_are_reported_as_such_and_not_as_a_cluster_without_a_primary()
    {
        _topology.Answer("primary", Replica(500)).Answer("analytics", Replica(500));
        Assert.Contains("name the same server", Assert.Single(Faults), StringComparison.Ordinal);
        // What it last showed can be out of date.
        _topology.Advance(1).Fail("analytics", FailureKind.Unreachable);
        Assert.Empty(Faults);
    }
}
