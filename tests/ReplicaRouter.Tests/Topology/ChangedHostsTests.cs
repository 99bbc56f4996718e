using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Topology;

/// <summary>Adding, removing and changing hosts of a topology.</summary>
public class ChangedHostsTests
{
    private readonly TestTopology _topology = new("primary", "analytics", "background");

    public ChangedHostsTests() => _topology.Advance(1).Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));

    private HostConfiguration this[string name] => _topology[name].Configuration;

    private void Want(params HostConfiguration[] hosts) => _topology.Change(current => current.WithHosts(hosts, _topology.Time));

    private HostConfiguration New(string name, int index, string address = "10.0.0.9", bool isDiscovered = false) => this["primary"] with
    {
        Name = name,
        Index = index,
        AddedAt = _topology.Time.GetTimestamp(),
        IsDiscovered = isDiscovered,
        Connection = new NpgsqlConnectionStringBuilder { Host = address },
    };

    [Fact]
    public void Hosts_that_stay_keep_their_observations()
    {
        Want(this["primary"], this["background"]);
        Assert.Null(_topology.Current.At(1));
        Assert.Equal("background", _topology.Current.At(2)!.Name);
        Assert.Equal(HostState.Healthy, _topology["background"].State);
        Assert.Equal("primary", _topology.Current.Primary!.Name);
        Assert.Equal(("background", Verdict.Eligible), _topology.Candidates(DatabaseOperation.Read));
    }

    [Fact]
    public void Observations_apply_to_the_current_host_of_their_index()
    {
        Want(this["primary"], this["background"]);
        _topology.Answer("background", Replica(200));
        Assert.Equal(200UL, _topology.Current.At(2)!.Answer!.ReplayLsn);
        var before = _topology.Current;
        Assert.Same(before, before.With(new HostObservation(1, 5, 6, Replica(300), null), _topology.Time));
    }

    [Fact]
    public void A_new_host_serves_after_two_answers_with_a_slow_start()
    {
        Want(this["primary"], this["analytics"], this["background"], New("replica-3", 3));
        Assert.Equal("analytics background", _topology.Candidates(DatabaseOperation.Read).Hosts);
        _topology.Answer("replica-3", Replica(100));
        Assert.Equal("analytics background", _topology.Candidates(DatabaseOperation.Read).Hosts);
        _topology.Advance(0.05).Answer("replica-3", Replica(100) with { StartedAt = 3 });
        Assert.Equal("analytics background replica-3", _topology.Candidates(DatabaseOperation.Read).Hosts);
        Assert.Equal(0.1, _topology["replica-3"].Probation.ShareAt(_topology.Time.GetTimestamp()));
        _topology.Advance(10);
        Assert.Equal(1, _topology["replica-3"].Probation.ShareAt(_topology.Time.GetTimestamp()));
    }

    [Fact]
    public void Changed_groups_and_labels_apply_at_once()
    {
        Want(this["primary"], this["analytics"] with { Groups = ["analytics"] }, this["background"] with { Groups = ["read"], Labels = ["zone=a"] });
        Assert.Equal("background", _topology.Candidates(DatabaseOperation.Read, new OperationOptions { Labels = ["zone=a"] }).Hosts);
        Assert.Equal("background", _topology.Candidates(DatabaseOperation.Background).Hosts);
        Assert.Equal("background", _topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void Removing_the_primary_leaves_none()
    {
        Want(this["analytics"], this["background"]);
        Assert.Null(_topology.Current.Primary);
    }

    [Fact]
    public void A_discovered_duplicate_of_a_configured_host_gets_no_second_share()
    {
        Want(this["primary"], this["analytics"], this["background"], New("10.0.0.9", 3, isDiscovered: true));
        var twin = _topology["analytics"].Answer!;
        _topology.Answer("background", Replica(100) with { StartedAt = 7 }).Answer("10.0.0.9", twin).Advance(0.05).Answer("10.0.0.9", twin);
        Assert.Equal("analytics", _topology["10.0.0.9"].DuplicateOf);
        Assert.Equal("analytics background", _topology.Candidates(DatabaseOperation.Read).Hosts);
        Assert.Empty(Misconfiguration.Find(_topology.Current));
    }

    [Fact]
    public void A_discovered_host_that_refuses_the_login_does_not_fail_the_start()
    {
        Want(this["primary"], this["analytics"], New("10.0.0.9", 3, isDiscovered: true));
        _topology.Fail("10.0.0.9", FailureKind.Misconfigured);
        Assert.Equal(HostState.Misconfigured, _topology["10.0.0.9"].State);
        Assert.Empty(Misconfiguration.Find(_topology.Current));
        _topology.Fail("analytics", FailureKind.Misconfigured);
        Assert.Single(Misconfiguration.Find(_topology.Current));
    }

    [Fact]
    public void A_session_does_not_confuse_a_new_host_with_the_former_one_of_its_index()
    {
        var session = new SessionState(_topology.Time);
        var use = session.Begin(this["analytics"], timeline: 1, isWrite: false, _topology.Time.GetTimestamp());
        _topology.Advance(0.01);
        session.End(use, _topology.Time.GetTimestamp());
        Assert.True(session.Demand(_topology.Current, _topology.Time.GetTimestamp()).Allows(_topology["analytics"]));

        _topology.Advance(0.01);
        Want(this["primary"], this["background"], New("replica-3", 1));
        var answer = Replica(50);
        _topology.Answer("replica-3", answer).Advance(0.05).Answer("replica-3", answer);
        var demand = session.Demand(_topology.Current, _topology.Time.GetTimestamp());
        Assert.False(demand.Allows(_topology["replica-3"]));
        // Only the primary can prove what the session has read on the removed host.
        Assert.Equal(this["primary"].Bit, demand.Unsettled);
    }
}
