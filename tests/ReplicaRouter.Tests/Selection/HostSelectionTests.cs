using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Selection;

public partial class HostSelectionTests
{
    private static readonly string[] All = ["primary", "analytics", "background", "replica-3", "dr"];

    private static TestTopology Healthy(params string[] hosts)
    {
        var topology = new TestTopology(hosts.Length == 0 ? All : hosts);
        foreach (var host in topology.Configuration.Hosts) topology.Answer(host.Name, host.IsConfiguredPrimary ? Primary(100) : Replica(100));
        return topology;
    }

    /// <summary>Columns: the route, the hosts that are down, the candidates, and whether the choice counts as a fallback. Add rows for new rules.</summary>
    [Theory]
    [InlineData("write", "", "primary", false)]
    [InlineData("transactional", "", "primary", false)]
    [InlineData("read", "", "analytics background replica-3", false)]
    [InlineData("analytics", "", "analytics", false)]
    [InlineData("background", "", "background", false)]
    [InlineData("analytics", "analytics", "background replica-3", true)]
    [InlineData("background", "background", "analytics replica-3", true)]
    [InlineData("read", "analytics", "background replica-3", false)]
    [InlineData("read", "analytics background replica-3", "primary", true)]
    [InlineData("analytics", "analytics background replica-3", "primary", true)]
    [InlineData("read", "analytics background replica-3 primary", "dr", true)]
    [InlineData("analytics", "analytics background replica-3 primary", "dr", true)]
    [InlineData("write", "primary", "", false)]
    [InlineData("read", "analytics background replica-3 primary dr", "", true)]
    [InlineData("read", "primary", "analytics background replica-3", false)]
    public void Each_route_uses_its_groups_and_falls_back_in_order_T7_S30(string route, string down, string expected, bool isFallback)
    {
        var topology = Healthy();
        foreach (var host in down.Split(' ', StringSplitOptions.RemoveEmptyEntries)) topology.Fail(host, FailureKind.Unreachable);
        var (hosts, fallback) = topology.Candidates(route);
        Assert.Equal(expected, hosts);
        Assert.Equal(isFallback, fallback != Verdict.Eligible);
    }

    [Theory]
    [InlineData("write")]
    [InlineData("read")]
    [InlineData("analytics")]
    [InlineData("background")]
    public void A_primary_alone_serves_everything_without_counting_a_fallback(string route)
    {
        var (hosts, fallback) = Healthy("primary").Candidates(route);
        Assert.Equal(("primary", Verdict.Eligible), (hosts, fallback));
    }

    [Fact]
    public void An_empty_group_does_not_count_as_a_fallback() =>
        Assert.Equal(("replica-3", Verdict.Eligible), Healthy("primary", "replica-3").Candidates(DatabaseOperation.Analytics));

    [Fact]
    public void A_promoted_dr_host_serves_writes_and_the_old_primary_serves_reads()
    {
        var topology = Healthy("primary", "dr");
        topology.Advance(1).Answer("dr", Primary(110, timeline: 2)).Answer("primary", Replica(110, timeline: 2));
        Assert.Equal("dr", topology.Candidates(DatabaseOperation.Write).Hosts);
        Assert.Equal("primary", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void A_drained_host_gets_no_new_work_and_stays_healthy()
    {
        var topology = Healthy();
        topology.Change(t => t.WithDrained(1, true, topology.Time));
        var name = topology.Configuration.Hosts[1].Name;
        Assert.DoesNotContain(name, topology.Candidates(DatabaseOperation.Read).Hosts, StringComparison.Ordinal);
        Assert.Equal(HostState.Healthy, topology[name].State);
        Assert.Contains(name, topology.Change(t => t.WithDrained(1, false, topology.Time)).Candidates(DatabaseOperation.Read).Hosts, StringComparison.Ordinal);
    }

    [Fact]
    public void Forced_failover_sends_reads_to_the_primary_until_it_expires()
    {
        var topology = Healthy();
        topology.Change(t => t.WithForcedToPrimary(topology.Time.GetTimestamp() + topology.Time.Ticks(TimeSpan.FromSeconds(2)), topology.Time));
        Assert.Equal(("primary", Verdict.ForcedToPrimary), topology.Candidates(DatabaseOperation.Read));
        Assert.Equal("analytics background replica-3", topology.Advance(2.1).Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void Forced_failover_to_a_lost_primary_leaves_reads_on_the_replicas()
    {
        var topology = Healthy();
        topology.Change(t => t.WithForcedToPrimary(long.MaxValue, topology.Time)).Fail("primary", FailureKind.Unreachable);
        Assert.Equal("analytics background replica-3", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void Forced_failover_skips_routes_without_a_primary_and_a_drained_primary()
    {
        var topology = new TestTopology(o => o.Routes["export"] = new DatabaseRouteOptions { Groups = { "analytics" } }, "primary", "analytics");
        topology.Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Change(t => t.WithForcedToPrimary(long.MaxValue, topology.Time));
        Assert.Equal("analytics", topology.Candidates("export").Hosts);
        Assert.Equal("primary", topology.Candidates(DatabaseOperation.Read).Hosts);
        topology.Change(t => t.WithDrained(0, true, topology.Time));
        Assert.Equal("analytics", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void A_suspect_host_serves_only_if_its_group_has_no_better_one_H10()
    {
        var topology = Healthy().Fail("replica-3", FailureKind.Timeout);
        Assert.Equal("analytics background", topology.Candidates(DatabaseOperation.Read).Hosts);
        topology.Fail("analytics", FailureKind.Unreachable).Fail("background", FailureKind.Unreachable);
        Assert.Equal("replica-3", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void A_call_can_require_less_lag_than_its_route()
    {
        var topology = Healthy().Advance(1);
        Assert.Equal("primary", topology.Candidates(DatabaseOperation.Read, new OperationOptions { MaxLag = TimeSpan.FromSeconds(0.5) }).Hosts);
        Assert.Equal("analytics background replica-3", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void Labels_restrict_replicas_but_never_the_primary()
    {
        var topology = new TestTopology(o => o.Hosts["analytics"].Labels.Add("zone=a"), "primary", "analytics", "background");
        topology.Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));
        Assert.Equal("analytics", topology.Candidates(DatabaseOperation.Read, new OperationOptions { Labels = ["zone=a"] }).Hosts);
        Assert.Equal("primary", topology.Candidates(DatabaseOperation.Read, new OperationOptions { Labels = ["zone=b"] }).Hosts);
    }

    [Fact]
    public void Reads_spread_evenly_over_equal_hosts()
    {
        var topology = Healthy();
        var plan = topology.Configuration.PlanOf(DatabaseOperation.Read);
        var (loads, random) = (topology.Loads(), new Random(7));
        var request = new RouteRequest(topology.Time.GetTimestamp(), long.MaxValue, []);
        var counts = Enumerable.Range(0, 30_000).GroupBy(_ => HostSelection.Choose(topology.Current, plan, request, loads, random).Host!.Name).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal(3, counts.Count);
        // Three standard deviations of a binomial distribution with n = 30,000 and p = 1/3.
        Assert.All(counts.Values, count => Assert.InRange(count, 10_000 - 245, 10_000 + 245));
    }

    [Fact]
    public void With_one_host_down_the_others_share_its_load_evenly_H9()
    {
        var topology = Healthy("primary", "analytics", "background", "replica-3", "replica-4").Fail("background", FailureKind.Unreachable);
        var plan = topology.Configuration.PlanOf(DatabaseOperation.Read);
        var (loads, random, counts) = (topology.Loads(), new Random(1), new Dictionary<string, int>());
        for (var i = 0; i < 9000; i++)
        {
            var host = HostSelection.Choose(topology.Current, plan, RouteRequest.For(plan, default, topology.Time), loads, random).Host!.Name;
            counts[host] = counts.GetValueOrDefault(host) + 1;
        }

        Assert.Equal(3, counts.Count);
        // Chi-square with 2 degrees of freedom exceeds 13.8 once in a thousand.
        Assert.True(counts.Values.Sum(count => Math.Pow(count - 3000, 2) / 3000) < 13.8, string.Join(' ', counts));
    }

    /// <summary>The lag of a caught-up replica is the age of the primary's newest sample. A lag equal to the limit is still allowed.</summary>
    [Theory]
    [InlineData(1.0, true)]
    [InlineData(1.001, false)]
    public void A_replica_serves_up_to_and_including_the_lag_limit_T8(double age, bool serves)
    {
        var topology = Healthy("primary", "analytics").Advance(age);
        Assert.Equal(serves ? "analytics" : "primary", topology.Candidates(DatabaseOperation.Read, new OperationOptions { MaxLag = TimeSpan.FromSeconds(1) }).Hosts);
    }

    /// <summary>The second route has both hosts in one group, the first one in two.</summary>
    [Theory]
    [InlineData("analytics", "background")]
    [InlineData("background", "analytics")]
    public void The_worst_reason_of_all_groups_before_is_why_a_read_falls_back(string drained, string down)
    {
        var topology = new TestTopology(
            o => o.Routes["export"] = new DatabaseRouteOptions { Groups = { "analytics", "background", "primary" } }, "primary", "analytics", "background");
        topology.Answer("primary", Primary(100)).Answer(drained, Replica(100)).Fail(down, FailureKind.Unreachable);
        topology.Change(t => t.WithDrained(topology[drained].Configuration.Index, true, topology.Time));
        Assert.Equal(("primary", Verdict.Down), topology.Candidates("export"));
        Assert.Equal(("primary", Verdict.Down), topology.Candidates(DatabaseOperation.Read));
    }

    [Fact]
    public void The_configured_primary_is_a_reason_to_fall_back_once_it_is_a_standby()
    {
        var topology = Healthy("primary", "dr").Advance(1).Answer("dr", Primary(110, timeline: 2)).Answer("primary", Replica(110, timeline: 2));
        Assert.Equal(("primary", Verdict.Eligible), topology.Candidates(DatabaseOperation.Read));
        topology.Change(t => t.WithDrained(0, true, topology.Time));
        Assert.Equal(("dr", Verdict.Drained), topology.Candidates(DatabaseOperation.Read));
    }

    [Fact]
    public void A_choice_names_the_replicas_that_only_have_to_replay_more()
    {
        var topology = Healthy().Advance(0.1).Answer("primary", Primary(150)).Answer("replica-3", Replica(150));
        Assert.Equal(("replica-3", Verdict.Eligible, 0b0110UL), Choose());
        topology.Change(t => t.WithDrained(3, true, topology.Time));
        Assert.Equal(("primary", Verdict.BehindSession, 0b0110UL), Choose());
        topology.Answer("background", Replica(150));
        Assert.Equal(("background", Verdict.Eligible, 0b0010UL), Choose());

        (string?, Verdict, ulong) Choose()
        {
            var plan = topology.Configuration.PlanOf(DatabaseOperation.Read);
            var request = RouteRequest.For(plan, null, topology.Time) with { Floor = new WalPosition(Cluster, 1, 150) };
            var choice = HostSelection.Choose(topology.Current, plan, request, topology.Loads(), new Random(1));
            return (choice.Host?.Name, choice.Fallback, choice.Behind);
        }
    }

    [Fact]
    public void A_session_that_wrote_recently_falls_back_to_the_primary_and_a_strong_read_belongs_there()
    {
        var topology = Healthy();
        var plan = topology.Configuration.PlanOf(DatabaseOperation.Read);
        var request = RouteRequest.For(plan, null, topology.Time);
        var kept = HostSelection.Choose(topology.Current, plan, request with { IsKeptOnPrimary = true }, topology.Loads(), new Random(1));
        Assert.Equal(("primary", Verdict.BehindSession), (kept.Host!.Name, kept.Fallback));
        Assert.Equal(("primary", Verdict.Eligible), topology.Candidates(DatabaseOperation.Read, new OperationOptions { Consistency = Consistency.Strong }));
    }
}
