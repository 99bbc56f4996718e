using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Health;

/// <summary>However many routers there are, a server answers no more than a hundred probes a second or so.</summary>
public class FleetIntervalTests
{
    private static HealthSettings Settings => RouterConfigurationBuilder.Build(OptionsFor("primary", "analytics")).Health;

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(90, 1, 0)]
    [InlineData(180, 2, 0)]
    [InlineData(900, 10, 20)]
    [InlineData(10_000, 30, 70)]
    public void The_interval_grows_with_the_fleet_and_beyond_what_lags_allow_so_does_the_age_of_what_is_believed(int probers, double interval, double leeway)
    {
        Assert.Equal(interval, Settings.IntervalOf(probers).TotalSeconds, 3);
        Assert.Equal(leeway, Settings.LeewayOf(probers).TotalSeconds, 3);
        // A quarter more or less is drawn, and the answers of two hosts are compared.
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
    public void A_host_that_has_just_started_has_seen_few_of_the_fleet_and_is_asked_as_seldom_as_the_others()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100) with { Probers = 900 }).Answer("analytics", Replica(100) with { Probers = 1 });
        Assert.Equal(900, topology.Current.Probers);
        Assert.Equal("analytics", topology.Advance(24).Candidates(DatabaseOperation.Read).Hosts);
        // What a host that is gone told last is of former times, as long as another one tells better.
        topology.Answer("analytics", Replica(100) with { Probers = 10 }).Fail("primary", FailureKind.Unreachable);
        Assert.Equal(10, topology.Current.Probers);
        topology.Fail("analytics", FailureKind.Unreachable);
        Assert.Equal(900, topology.Current.Probers);
    }

    [Fact]
    public void In_a_large_fleet_a_lag_that_an_answer_shows_is_held_against_the_replica_as_ever()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100) with { Probers = 900 }).Advance(6)
            .Answer("primary", Primary(200) with { Probers = 900 }).Answer("analytics", Replica(100) with { Probers = 900 });
        Assert.Equal("primary", topology.Candidates(DatabaseOperation.Read).Hosts);
    }
}
