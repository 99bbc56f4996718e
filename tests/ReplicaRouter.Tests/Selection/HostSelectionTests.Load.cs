using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Selection;

public partial class HostSelectionTests
{
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
        Assert.Equal(4, load.Ejection(read.Index).TypicalMs(1), 6);
        load.RecordCommand(read.Index, 20, isStopped: true);
        Assert.True(load.Ejection(read.Index).TypicalMs(1) > 4);
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
            var request = new RouteRequest(topology.Time.GetTimestamp(), long.MaxValue, []) { Excluded = 0b10, IsHedge = true };
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
            var request = new RouteRequest(topology.Time.GetTimestamp(), long.MaxValue, []) { Excluded = 0b10, IsHedge = true };
            return HostSelection.Choose(topology.Current, read, request, loads, new Random(1)).Host?.Configuration.Index;
        }
    }

    [Fact]
    public void A_hedge_avoids_a_host_whose_last_command_failed()
    {
        var topology = Healthy("primary", "analytics", "background", "replica-3");
        var (loads, read) = (topology.Loads(), topology.Configuration.PlanOf(DatabaseOperation.Read));
        foreach (var host in new[] { 3, 2 })
        {
            loads[host].Commands.Begin();
            topology.Advance(0.001);
            loads[host].Commands.End();
        }

        Assert.Equal(2, Second());
        loads[2].RecordFailure(read.Index, 1);
        Assert.Equal(3, Second());
        // Both failed.
        loads[3].RecordFailure(read.Index, 1);
        Assert.Equal(2, Second());
        loads[3].RecordCommand(read.Index, 1);
        Assert.Equal(3, Second());

        int? Second()
        {
            var request = new RouteRequest(topology.Time.GetTimestamp(), long.MaxValue, []) { Excluded = 0b10, IsHedge = true };
            return HostSelection.Choose(topology.Current, read, request, loads, new Random(1)).Host?.Configuration.Index;
        }
    }

    [Fact]
    public void A_sticky_replica_serves_even_if_it_is_busier_but_not_once_it_failed_or_is_ejected()
    {
        var topology = Healthy("primary", "analytics", "background", "replica-3");
        var (loads, read) = (topology.Loads(), topology.Configuration.PlanOf(DatabaseOperation.Read));
        for (var sample = 0; sample < 300; sample++)
        {
            foreach (var load in loads[1..]) load.RecordCommand(read.Index, 1);
        }

        for (var i = 0; i < 5; i++) loads[2].BeginOpening();
        loads[3].BeginOpening();
        Assert.Equal(2, Chosen(excluded: 0));
        Assert.Equal(1, Chosen(excluded: 0b100));
        for (var sample = 0; sample < 2; sample++)
        {
            topology.Advance(0.1);
            loads[2].RecordCommand(read.Index, 100);
        }

        Assert.Equal(1, Chosen(excluded: 0));

        int Chosen(ulong excluded)
        {
            var request = RouteRequest.For(read, null, topology.Time) with { Preferred = 0b100, Excluded = excluded };
            return HostSelection.Choose(topology.Current, read, request, loads, new Random(1)).Host!.Configuration.Index;
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
        var request = RouteRequest.For(topology.Configuration.PlanOf(route), default, topology.Time) with { IsHedge = true, Excluded = topology[first].Configuration.Bit };
        var choice = HostSelection.Choose(topology.Current, topology.Configuration.PlanOf(route), request, topology.Loads(), new Random(1));
        Assert.Equal(expected, choice.Host?.Name ?? "");
    }

    [Fact]
    public void A_hedge_uses_the_dr_replica_where_its_group_is_the_routes_first()
    {
        var topology = new TestTopology(
            o =>
            {
                o.Routes["export"] = new DatabaseRouteOptions { Groups = { "dr" } };
                o.Hosts["replica-3"].Groups.Add("dr");
            },
            "primary", "dr", "replica-3");
        topology.Answer("primary", Primary(100)).Answer("dr", Replica(100)).Answer("replica-3", Replica(100));
        var plan = topology.Configuration.PlanOf("export");
        var request = RouteRequest.For(plan, null, topology.Time) with { IsHedge = true, Excluded = topology["replica-3"].Configuration.Bit };
        Assert.Equal("dr", HostSelection.Choose(topology.Current, plan, request, topology.Loads(), new Random(1)).Host?.Name);
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
