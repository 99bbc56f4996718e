using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Selection;

/// <summary>What an explanation of a choice says of each host.</summary>
public class RouteExplanationTests
{
    private readonly TestTopology _topology = new("primary", "analytics", "background", "replica-3", "dr");
    private readonly HostLoad[] _loads;

    public RouteExplanationTests()
    {
        foreach (var host in _topology.Configuration.Hosts) _topology.Answer(host.Name, host.IsConfiguredPrimary ? Primary(100) : Replica(100));
        _loads = _topology.Loads();
    }

    private RouteExplanation Explain(DatabaseRoute route)
    {
        var plan = _topology.Configuration.PlanOf(route);
        return RouteExplanation.Of(_topology.Current, plan, RouteRequest.For(plan, null, _topology.Time), _loads, new Random(1), _topology.Time);
    }

    private static string StandingsIn(RouteExplanation explanation) =>
        string.Join(", ", explanation.Hosts.Select(host => $"{host.Host} {host.Standing}{(host.Group is { } group ? $" in {group}" : "")}"));

    private HostExplanation Of(string host, DatabaseRoute route) => Explain(route).Hosts.Single(explained => explained.Host == host);

    private void Work(params string[] hosts)
    {
        foreach (var host in hosts) _loads[_topology[host].Configuration.Index].BeginOpening();
    }

    [Fact]
    public void Each_host_stands_as_in_the_choice_that_would_be_made()
    {
        Work("analytics", "replica-3");
        var explanation = Explain(DatabaseOperation.Read);
        Assert.Equal(("read", "background"), (explanation.Route, explanation.Chosen));
        const string Expected = "primary Reserve in primary, analytics Candidate in read, background Chosen in read, replica-3 Candidate in read, dr Reserve in dr";
        Assert.Equal(Expected, StandingsIn(explanation));
        Assert.Equal("serves when the groups before 'dr' can't", Of("dr", DatabaseOperation.Read).Reason);
    }

    [Fact]
    public void A_host_in_several_groups_stands_in_the_first_of_them()
    {
        const string Expected = "primary Reserve in primary, analytics Chosen in analytics, background Reserve in read, replica-3 Reserve in read, dr Reserve in dr";
        Assert.Equal(Expected, StandingsIn(Explain(DatabaseOperation.Analytics)));
    }

    [Fact]
    public void Hosts_that_a_write_can_not_use_are_in_none_of_its_groups()
    {
        var standings = StandingsIn(Explain(DatabaseOperation.Write));
        Assert.Equal("primary Chosen in primary, analytics Rejected, background Rejected, replica-3 Rejected, dr Rejected", standings);
        Assert.Equal("is a replica", Of("dr", DatabaseOperation.Write).Reason);
    }

    [Fact]
    public void A_host_in_doubt_is_a_reserve_until_it_is_the_only_one()
    {
        Work("analytics", "background");
        _topology.Fail("replica-3", FailureKind.Timeout);
        var inDoubt = new HostExplanation("replica-3", HostStanding.Reserve, "read", "is in doubt: serves when no better host is left");
        Assert.Equal(inDoubt, Of("replica-3", DatabaseOperation.Read));
        _topology.Fail("analytics", FailureKind.Unreachable).Fail("background", FailureKind.Unreachable);
        Assert.Equal(HostStanding.Chosen, Of("replica-3", DatabaseOperation.Read).Standing);
        Assert.Equal(new HostExplanation("analytics", HostStanding.Rejected, "read", "Unreachable"), Of("analytics", DatabaseOperation.Read));
    }

    [Fact]
    public void An_ejected_host_is_slow_and_not_a_candidate()
    {
        var read = _topology.Configuration.PlanOf(DatabaseOperation.Read).Index;
        for (var sample = 0; sample < 300; sample++)
        {
            foreach (var load in _loads[1..4]) load.RecordCommand(read, 1);
        }

        for (var sample = 0; sample < 2; sample++)
        {
            _topology.Advance(0.1);
            _loads[3].RecordCommand(read, 100);
        }

        Work("analytics");
        const string Expected = "primary Reserve in primary, analytics Candidate in read, background Chosen in read, replica-3 Slow in read, dr Reserve in dr";
        Assert.Equal(Expected, StandingsIn(Explain(DatabaseOperation.Read)));
    }

    [Fact]
    public void If_no_host_may_serve_none_is_chosen_and_each_has_its_reason()
    {
        _topology.Fail("primary", FailureKind.Unreachable);
        Assert.Null(Explain(DatabaseOperation.Write).Chosen);
        _topology.Change(current => current.WithDrained(_topology["dr"].Configuration.Index, true, _topology.Time));
        foreach (var host in new[] { "analytics", "background", "replica-3" }) _topology.Fail(host, FailureKind.Restarting);
        var explanation = Explain(DatabaseOperation.Read);
        Assert.Null(explanation.Chosen);
        Assert.All(explanation.Hosts, host => Assert.Equal(HostStanding.Rejected, host.Standing));
        Assert.Equal(["Unreachable", "Restarting", "Restarting", "Restarting", "is drained"], explanation.Hosts.Select(host => host.Reason));
    }
}
