using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

/// <summary>A session has seen position 150. The replica's last probe showed 100.</summary>
public class ConnectionProofTests
{
    private readonly TestTopology _topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Advance(1);
    private readonly SessionState _session;

    public ConnectionProofTests()
    {
        _session = new SessionState(_topology.Time);
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, 150), default, false), Now);
        _topology.Advance(1);
    }

    private long Now => _topology.Time.GetTimestamp();

    private HostConfiguration Analytics => _topology["analytics"].Configuration;

    /// <summary>Returns what the replica answered at a login that begins now.</summary>
    private HostAnswer Login(ulong replayed, int timeline = 1) => Replica(replayed, timeline) with { ConnectedAt = Now };

    private bool Holds(HostAnswer login) => ConnectionProof.Holds(_session, _topology.Current, Analytics, login);

    [Theory]
    [InlineData(149, 1, false)]
    [InlineData(150, 1, true)]
    [InlineData(900, 1, true)]
    [InlineData(900, 2, false)]
    public void A_login_proves_what_its_server_had_replayed_on_the_clusters_timeline(ulong replayed, int timeline, bool isProven) =>
        Assert.Equal(isProven, Holds(Login(replayed, timeline)));

    [Fact]
    public void A_probe_after_the_login_proves_what_the_login_did_not()
    {
        var login = Login(100);
        _topology.Advance(0.001).Answer("analytics", Replica(149));
        Assert.False(Holds(login));
        _topology.Advance(0.001).Answer("analytics", Replica(150));
        Assert.True(Holds(login));
    }

    /// <summary>The server may have crashed between the probe and the login, and be back with less replayed.</summary>
    [Fact]
    public void A_probe_before_the_login_proves_nothing()
    {
        _topology.Answer("analytics", Replica(150)).Advance(0.001);
        Assert.False(Holds(Login(100)));
    }

    [Fact]
    public void A_login_to_another_server_or_another_run_of_it_proves_nothing()
    {
        Assert.False(Holds(Login(900) with { StartedAt = 2 }));
        Assert.False(Holds(Login(900) with { ServerPort = 6432 }));
    }

    [Fact]
    public void A_login_to_a_host_that_was_removed_proves_nothing()
    {
        var (replica, login) = (Analytics, Login(900));
        _topology.Change(current => current.WithHosts([_topology["primary"].Configuration], _topology.Time));
        Assert.False(ConnectionProof.Holds(_session, _topology.Current, replica, login));
    }

    [Fact]
    public void A_session_without_a_requirement_needs_the_same_server_only()
    {
        var free = new SessionState(_topology.Time);
        Assert.True(ConnectionProof.Holds(free, _topology.Current, Analytics, Login(1)));
        Assert.False(ConnectionProof.Holds(free, _topology.Current, Analytics, Login(1) with { StartedAt = 2 }));
    }

    [Fact]
    public void What_the_session_read_there_over_an_older_connection_is_not_proven_by_a_new_login()
    {
        var use = _session.Begin(Analytics, 1, isWrite: false, Now);
        _topology.Advance(0.001);
        _session.End(use, Now);
        Assert.False(Holds(Login(900)));
    }
}
