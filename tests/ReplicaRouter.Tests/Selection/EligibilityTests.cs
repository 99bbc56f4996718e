using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Selection;

/// <summary>Why a host may not serve, in the words that people read.</summary>
public class EligibilityTests
{
    private const string Refused = "is eligible, but connecting to it failed";

    private readonly TestTopology _topology = new(
        o =>
        {
            o.Routes["export"] = new DatabaseRouteOptions { Groups = { "read" } };
            o.Routes["report"] = new DatabaseRouteOptions { Groups = { "analytics" } };
        },
        "primary", "analytics", "background");

    public EligibilityTests() => _topology.Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));

    private RouteRequest Request(DatabaseRoute route, OperationOptions? options = null) =>
        RouteRequest.For(_topology.Configuration.PlanOf(route), options, _topology.Time);

    private string Why(string host, DatabaseRoute route) => Why(host, route, Request(route));

    private string Why(string host, DatabaseRoute route, RouteRequest request) =>
        Eligibility.Explain(_topology.Current, _topology[host], _topology.Configuration.PlanOf(route), request, _topology.Time);

    private string? Chosen(DatabaseRoute route, RouteRequest request) =>
        HostSelection.Choose(_topology.Current, _topology.Configuration.PlanOf(route), request, _topology.Loads(), new Random(1)).Host?.Name;

    [Fact]
    public void A_hosts_role_is_the_reason_only_if_there_is_no_better_one()
    {
        Assert.Equal("is a replica", Why("analytics", DatabaseOperation.Write));
        Assert.Equal("is the primary", Why("primary", "export"));
        _topology.Change(current => current.WithDrained(0, true, _topology.Time).WithDrained(1, true, _topology.Time));
        Assert.Equal(("is drained", "is drained"), (Why("primary", DatabaseOperation.Read), Why("analytics", DatabaseOperation.Read)));
    }

    [Fact]
    public void A_host_that_the_route_does_not_use_is_in_none_of_its_groups()
    {
        Assert.Equal(Refused, Why("analytics", "report"));
        Assert.Equal("is in no group of this route", Why("background", "report"));
    }

    [Fact]
    public void A_duplicate_host_names_the_host_that_serves_in_its_place()
    {
        var address = new NpgsqlConnectionStringBuilder { Host = "10.0.9.9" };
        var duplicate = _topology["analytics"].Configuration with { Name = "pg-4", Index = 3, AddedAt = 1, IsDiscovered = true, Connection = address };
        _topology.Change(current => current.WithHosts([.. current.Hosts.Select(host => host.Configuration), duplicate], _topology.Time));
        _topology.Answer("pg-4", Replica(100));
        Assert.Equal("is the same server as analytics", Why("pg-4", "report"));
    }

    [Fact]
    public void What_a_call_requires_can_be_the_reason()
    {
        var labelled = Request(DatabaseOperation.Read, new OperationOptions { Labels = ["zone=a"] });
        Assert.Equal("lacks a label that the call requires", Why("analytics", DatabaseOperation.Read, labelled));
        var again = Request(DatabaseOperation.Read) with { Excluded = 0b010 };
        Assert.Equal("has already failed this operation", Why("analytics", DatabaseOperation.Read, again));
        Assert.Equal(Refused, Why("background", DatabaseOperation.Read, again));
    }

    [Fact]
    public void A_replica_that_lags_shows_by_how_much_and_the_limit()
    {
        _topology.Advance(7).Answer("analytics", Replica(100));
        Assert.Equal("lag 7.0 s, limit 5.0 s", Why("analytics", DatabaseOperation.Read));
        Assert.Equal(Refused, Why("analytics", DatabaseOperation.Read, Request(DatabaseOperation.Read, new OperationOptions { MaxLag = TimeSpan.FromMinutes(1) })));
    }

    [Fact]
    public void A_replica_behind_its_session_shows_the_position_if_a_primary_has_confirmed_it()
    {
        var read = Request(DatabaseOperation.Read);
        Assert.Equal(Refused, Why("analytics", DatabaseOperation.Read, read with { Floor = new WalPosition(Cluster, 1, 100) }));
        Assert.Equal("has not replayed what the session has written or read (0/96 on timeline 1)",
            Why("analytics", DatabaseOperation.Read, read with { Floor = new WalPosition(Cluster, 1, 0x96) }));
        Assert.Equal("may lack what the session has written or read, as no primary has confirmed the position",
            Why("analytics", DatabaseOperation.Read, read with { Floor = new WalPosition(Cluster, 1, ulong.MaxValue) }));
    }

    [Fact]
    public void A_primary_on_an_older_timeline_than_its_session_has_seen_gets_no_work()
    {
        var write = Request(DatabaseOperation.Write);
        var newer = write with { Floor = new WalPosition(Cluster, 2, 50) };
        Assert.Equal("primary", Chosen(DatabaseOperation.Write, write with { Floor = new WalPosition(Cluster, 1, 500) }));
        Assert.Null(Chosen(DatabaseOperation.Write, newer));
        Assert.Equal("is on timeline 1; the session has seen timeline 2", Why("primary", DatabaseOperation.Write, newer));
    }

    [Fact]
    public void A_state_that_has_an_error_is_explained_by_it()
    {
        _topology.Advance(1).Answer("background", Replica(100) with { ReplayLsn = null });
        Assert.Equal("replication lag unknown: the standby has replayed nothing yet", Why("background", DatabaseOperation.Read));
        _topology.Answer("primary", Primary(100, timeline: 3));
        Assert.Equal("10.0.0.2:5432 follows timeline 1, but the primary is on 3.", Why("analytics", DatabaseOperation.Read));
    }

    [Fact]
    public void A_host_that_never_answered_differs_from_one_that_has_not_answered_lately()
    {
        _topology.Advance(6);
        Assert.Equal("has not answered a probe lately", Why("analytics", DatabaseOperation.Read));
        var topology = new TestTopology("primary", "analytics");
        var (plan, now) = (topology.Configuration.PlanOf(DatabaseOperation.Read), topology.Time.GetTimestamp());
        Assert.Equal("not probed yet", Eligibility.Explain(topology.Current, topology["analytics"], plan, new RouteRequest(now, long.MaxValue, []), topology.Time));
    }

    [Fact]
    public void Reads_are_forced_only_to_a_primary_that_has_not_failed_them_and_has_answered_lately()
    {
        _topology.Change(current => current.WithForcedToPrimary(long.MaxValue, _topology.Time));
        var read = Request(DatabaseOperation.Read);
        Assert.Equal("all reads are forced to the primary", Why("analytics", DatabaseOperation.Read, read));
        Assert.Equal("primary", Chosen(DatabaseOperation.Read, read));
        Assert.Equal("analytics", Chosen(DatabaseOperation.Read, read with { Excluded = 0b101 }));
        _topology.Advance(6).Answer("analytics", Replica(100));
        Assert.Equal("analytics", Chosen(DatabaseOperation.Read, Request(DatabaseOperation.Read, new OperationOptions { MaxLag = TimeSpan.FromMinutes(1) })));
    }

    [Fact]
    public void What_the_operation_met_itself_goes_before_what_the_snapshot_shows()
    {
        var cause = new IOException();
        var refusals = new Dictionary<string, string> { ["primary"] = "refused the read", ["analytics"] = "refused the login" };
        var plan = _topology.Configuration.PlanOf(DatabaseOperation.Read);
        var error = Eligibility.NoHost(_topology.Current, plan, Request(DatabaseOperation.Read), _topology.Time, cause, whyNotPrimary: "is full", refusals);
        var reasons = error.Rejections.Select(rejection => $"{rejection.Host}: {rejection.Reason}");
        Assert.Equal(["primary: is full", "analytics: refused the login", $"background: {Refused}"], reasons);
        Assert.Same(cause, error.InnerException);
        error = Eligibility.NoHost(_topology.Current, plan, Request(DatabaseOperation.Read), _topology.Time, refusals: refusals);
        Assert.Equal("refused the read", error.Rejections[0].Reason);
    }
}
