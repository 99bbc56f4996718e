using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Health;

/// <summary>A server answers about a hundred probes a second at most, for any number of routers.</summary>
public class FleetIntervalTests
{
    private static HealthSettings Settings => RouterConfigurationBuilder.Build(OptionsFor("primary", "analytics")).Health;

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(90, 1, 0)]
    [InlineData(180, 2, 0)]
    [InlineData(900, 10, 20)]
    [InlineData(10_000, 30, 70)]
    public void The_probe_interval_grows_with_the_fleet_and_so_does_the_accepted_age(int probers, double interval, double leeway)
    {
        Assert.Equal(interval, Settings.IntervalOf(probers).TotalSeconds, 3);
        Assert.Equal(leeway, Settings.LeewayOf(probers).TotalSeconds, 3);
        // At most 120 probes a second; in a larger fleet the interval stays at its maximum of 30 s.
        Assert.True(probers * 1.0 / interval <= 120 || interval >= 30);
    }

    [Fact]
    public void In_a_large_fleet_a_replica_serves_until_its_next_probe_is_due()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100) with { Probers = 900 }).Answer("analytics", Replica(100) with { Probers = 900 });
        Assert.Equal("analytics", topology.Advance(24).Candidates(DatabaseOperation.Read).Hosts);
        Assert.Equal("", topology.Advance(2).Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void A_restarted_host_that_counts_few_routers_is_probed_as_rarely_as_the_others()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100) with { Probers = 900 }).Answer("analytics", Replica(100) with { Probers = 1 });
        Assert.Equal(900, topology.Current.Probers);
        Assert.Equal("analytics", topology.Advance(24).Candidates(DatabaseOperation.Read).Hosts);
        // The last count of a lost host is outdated and ignored while another host reports one.
        topology.Answer("analytics", Replica(100) with { Probers = 10 }).Fail("primary", FailureKind.Unreachable);
        Assert.Equal(10, topology.Current.Probers);
        topology.Fail("analytics", FailureKind.Unreachable);
        Assert.Equal(900, topology.Current.Probers);
    }

    [Fact]
    public void In_a_large_fleet_a_lag_shown_by_an_answer_still_excludes_the_replica()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100) with { Probers = 900 }).Advance(6)
            .Answer("primary", Primary(200) with { Probers = 900 }).Answer("analytics", Replica(100) with { Probers = 900 });
        Assert.Equal("primary", topology.Candidates(DatabaseOperation.Read).Hosts);
    }
}
