using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Selection;

public class HostSelectionTests
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

    [Fact]
    public void The_host_with_less_in_flight_is_chosen_S10()
    {
        var topology = Healthy("primary", "analytics", "background");
        var loads = topology.Loads();
        for (var i = 0; i < 5; i++) loads[1].BeginOpening();
        var request = new RouteRequest(topology.Time.GetTimestamp(), long.MaxValue, []);
        for (var seed = 0; seed < 50; seed++)
        {
            Assert.Equal(2, HostSelection.Choose(topology.Current, topology.Configuration.PlanOf(DatabaseOperation.Read), request, loads, new Random(seed)).Host!.Configuration.Index);
        }
    }

    /// <summary>Health checks, metrics and explanations evaluate the choice at any time.</summary>
    [Fact]
    public void Evaluating_the_choice_ten_thousand_times_does_not_affect_reads()
    {
        var choices = ChoicesBesideASlowHost(looks: 0);
        Assert.Contains(1, choices[1500..]);
        Assert.Equal(choices, ChoicesBesideASlowHost(looks: 10_000));
    }

    /// <summary>Returns the hosts chosen for consecutive reads while one host becomes ten times as slow and is tried occasionally.</summary>
    private static List<int> ChoicesBesideASlowHost(int looks)
    {
        var topology = Healthy("primary", "analytics", "background", "replica-3");
        var (loads, read, random) = (topology.Loads(), topology.Configuration.PlanOf(DatabaseOperation.Read), new Random(1));
        List<int> choices = [];
        for (var i = 0; i < 2_000; i++)
        {
            var request = RouteRequest.For(read, default, topology.Time);
            for (var look = 0; look < looks && i % 500 == 499; look++)
            {
                HostSelection.Choose(topology.Current, read, request, loads, new Random(look));
                RouteExplanation.Of(topology.Current, read, request, loads, new Random(look), topology.Time);
            }

            var host = HostSelection.Choose(topology.Current, read, request, loads, random).Host!.Configuration.Index;
            choices.Add(host);
            var milliseconds = host == 1 && i > 1000 ? 10 : 1;
            loads[host].Commands.Begin();
            topology.Advance(milliseconds / 1000.0);
            loads[host].RecordCommand(read.Index, milliseconds);
            loads[host].Commands.End();
        }

        return choices;
    }

    [Fact]
    public void A_stopped_command_counts_only_if_it_had_already_taken_longer_than_usual()
    {
        var topology = Healthy("primary", "analytics");
        var (load, read) = (topology.Loads()[1], topology.Configuration.PlanOf(DatabaseOperation.Read));
        for (var sample = 0; sample < 10; sample++) load.RecordCommand(read.Index, 4);
        load.RecordCommand(read.Index, 1, isStopped: true);
        Assert.Equal(4, load.TypicalMs(read.Index), 6);
        load.RecordCommand(read.Index, 20, isStopped: true);
        Assert.True(load.TypicalMs(read.Index) > 4);
    }

    [Fact]
    public void A_hedge_goes_to_the_host_that_completed_work_last_and_not_to_a_slower_one()
    {
        var topology = Healthy("primary", "analytics", "background", "replica-3");
        var (loads, read) = (topology.Loads(), topology.Configuration.PlanOf(DatabaseOperation.Read));
        Work(2);
        Assert.Equal(2, Second());
        Work(3);
        Assert.Equal(3, Second());
        for (var sample = 0; sample < 40; sample++)
        {
            loads[1].RecordCommand(read.Index, 1);
            loads[2].RecordCommand(read.Index, 1);
            topology.Advance(0.04);
            loads[3].RecordCommand(read.Index, 40);
        }

        Assert.Equal(2, Second());
        for (var sample = 0; sample < 20; sample++)
        {
            topology.Advance(0.04);
            loads[2].RecordCommand(read.Index, 40);
        }

        Assert.Null(Second());

        void Work(int host)
        {
            loads[host].Commands.Begin();
            topology.Advance(0.001);
            loads[host].Commands.End();
        }

        int? Second()
        {
            var request = new RouteRequest(topology.Time.GetTimestamp(), long.MaxValue, []) { Excluded = 0b10, IsSecondRun = true };
            return HostSelection.Choose(topology.Current, read, request, loads, new Random(1)).Host?.Configuration.Index;
        }
    }

    [Fact]
    public void A_hedge_avoids_a_host_whose_last_command_was_slow()
    {
        var topology = Healthy("primary", "analytics", "background", "replica-3");
        var (loads, read) = (topology.Loads(), topology.Configuration.PlanOf(DatabaseOperation.Read));
        foreach (var host in new[] { 1, 2, 3, 2 })
        {
            for (var sample = 0; sample < 20; sample++) loads[host].RecordCommand(read.Index, 2 + (sample % 2 * 4));
            loads[host].Commands.Begin();
            topology.Advance(0.001);
            loads[host].Commands.End();
        }

        Assert.Equal(2, Second());
        topology.Advance(0.025);
        loads[2].RecordCommand(read.Index, 25);
        Assert.Equal(3, Second());
        loads[2].RecordCommand(read.Index, 2);
        Assert.Equal(2, Second());

        int? Second()
        {
            var request = new RouteRequest(topology.Time.GetTimestamp(), long.MaxValue, []) { Excluded = 0b10, IsSecondRun = true };
            return HostSelection.Choose(topology.Current, read, request, loads, new Random(1)).Host?.Configuration.Index;
        }
    }

    [Fact]
    public void The_error_gives_the_reason_for_every_host()
    {
        var topology = Healthy("primary", "analytics", "dr").Fail("primary", FailureKind.Unreachable).Fail("analytics", FailureKind.Restarting).Change(t => t.WithDrained(2, true, TimeProvider.System));
        var request = new RouteRequest(topology.Time.GetTimestamp(), topology.Time.Ticks(TimeSpan.FromSeconds(5)), []);
        var error = new NoEligibleHostException("read", Eligibility.Explain(topology.Current, topology.Configuration.PlanOf(DatabaseOperation.Read), request, topology.Time));
        Assert.Equal("No host can serve 'read'. primary: Unreachable; analytics: Restarting; dr: is drained.", error.Message);
        Assert.True(error.IsTransient);
    }

    [Theory]
    [InlineData("read", "analytics", "primary analytics dr", "")]
    [InlineData("analytics", "analytics", "primary analytics background dr", "background")]
    public void A_hedge_does_not_use_the_dr_replica_when_no_other_replica_is_left(string route, string first, string hosts, string expected)
    {
        var topology = Healthy(hosts.Split(' '));
        var request = RouteRequest.For(topology.Configuration.PlanOf(route), default, topology.Time) with { IsSecondRun = true, Excluded = topology[first].Configuration.Bit };
        var choice = HostSelection.Choose(topology.Current, topology.Configuration.PlanOf(route), request, topology.Loads(), new Random(1));
        Assert.Equal(expected, choice.Host?.Name ?? "");
    }

    private static TestTopology Failing(TestTopology topology, string host) => topology.Advance(0.01).Change(current =>
        current.WithFaulty(topology[host].Configuration.Index, new FaultyHost("58P01", topology.Time.GetTimestamp(), long.MaxValue), topology.Time));

    [Fact]
    [Trait("Failure", "B3")]
    public void At_most_half_of_the_replicas_are_ejected_and_failing_ones_are_the_last_choice()
    {
        var topology = Failing(Healthy("primary", "replica-3", "replica-4", "replica-5", "replica-6"), "replica-3");
        Assert.Equal("replica-4 replica-5 replica-6", topology.Candidates(DatabaseOperation.Read).Hosts);
        Failing(Failing(topology, "replica-4"), "replica-5");
        Assert.Equal("replica-6", topology.Candidates(DatabaseOperation.Read).Hosts);
        Assert.All(new[] { "replica-3", "replica-4", "replica-5" }, host => Assert.Equal(HostState.Failing, topology[host].State));
        // At most half of the remaining replicas are ejected, so a failing one serves when no other is left.
        topology.Fail("replica-6", FailureKind.Unreachable);
        Assert.Equal("replica-4 replica-5", topology.Candidates(DatabaseOperation.Read).Hosts);
        topology.Fail("replica-4", FailureKind.Unreachable).Fail("replica-5", FailureKind.Unreachable);
        Assert.Equal("replica-3", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    [Trait("Failure", "B3")]
    public void A_failing_replica_returns_after_its_ejection_and_a_primary_is_never_ejected()
    {
        var topology = Healthy("primary", "replica-3", "replica-4");
        var until = topology.Time.GetTimestamp() + topology.Time.Ticks(TimeSpan.FromSeconds(2));
        topology.Change(current => current.WithFaulty(1, new FaultyHost("58P01", 0, until), topology.Time).WithFaulty(0, new FaultyHost("58P01", 0, until), topology.Time));
        Assert.Equal(HostState.Healthy, topology["primary"].State);
        Assert.Equal(HostState.Failing, topology.Advance(1).Answer("replica-3", Replica(100))["replica-3"].State);
        Assert.Equal(HostState.Healthy, topology.Advance(1).Answer("replica-3", Replica(100))["replica-3"].State);
    }

    [Theory]
    [InlineData("database", "ALTER DATABASE \"app\" RESET")]
    [InlineData("user", "ALTER ROLE \"app\" RESET")]
    [InlineData("database user", "ALTER ROLE \"app\" IN DATABASE \"app\" RESET")]
    [InlineData("global", "ALTER ROLE ALL RESET")]
    [InlineData("client", "Options in")]
    [InlineData("configuration file", "pg_reload_conf()")]
    public void A_read_only_primary_keeps_serving_and_its_error_names_the_fix(string source, string fix)
    {
        var topology = Healthy("primary", "replica-3").Advance(1).Answer("primary", Primary(101) with { ReadOnlyBy = source });
        Assert.Equal(HostState.ReadOnly, topology["primary"].State);
        Assert.Contains(fix, topology["primary"].Error, StringComparison.Ordinal);
        Assert.Equal("primary", topology.Candidates(DatabaseOperation.Write).Hosts);
        Assert.Equal(HostState.Healthy, topology.Advance(1).Answer("primary", Primary(102))["primary"].State);
    }
}
