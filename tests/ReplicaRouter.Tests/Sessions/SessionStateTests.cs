using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

public partial class SessionStateTests
{
    private readonly TestTopology _topology = new("primary", "analytics", "background");
    private readonly SessionState _session;

    public SessionStateTests()
    {
        _session = new SessionState(_topology.Time);
        _topology.Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100)).Advance(1);
    }

    private long Now => _topology.Time.GetTimestamp();

    private ReadRequirement Demand() => _session.Demand(_topology.Current, Now);

    private void Do(string host, bool isWrite = false)
    {
        var configuration = _topology[host].Configuration;
        var use = _session.Begin(configuration, _topology.Current.Timeline, isWrite, Now, _topology.Current.History.ForkOf(_topology.Current.Timeline));
        _topology.Advance(0.001);
        _session.End(use, Now);
        _topology.Advance(0.001);
    }

    [Fact]
    public void A_session_without_operations_has_no_requirement()
    {
        Assert.Equal(new ReadRequirement { Timeline = 1 }, Demand());
        Assert.Null(_session.Export(_topology.Current, Now, default).Token);
    }

    [Fact]
    public void A_write_is_settled_by_the_primarys_first_answer_to_a_later_probe()
    {
        Do("primary", isWrite: true);
        Assert.False(Demand().Allows(_topology["analytics"]));
        Assert.True(Demand().Allows(_topology["primary"]));

        _topology.Answer("analytics", Replica(150));
        Assert.False(Demand().Allows(_topology["analytics"]));
        _topology.Answer("primary", Primary(160));
        Assert.True(Demand().Allows(_topology["analytics"]));
        Assert.Equal(160UL, Demand().Floor.Lsn);
        Assert.Equal(("", Verdict.BehindSession), Candidates(DatabaseOperation.Analytics, "primary"));
        _topology.Answer("analytics", Replica(160));
        Assert.Equal(("analytics", Verdict.Eligible), Candidates(DatabaseOperation.Analytics));
    }

    [Fact]
    public void An_open_connection_requires_a_new_position_for_each_read_H51()
    {
        _session.Begin(_topology["primary"].Configuration, 1, true, Now);
        _topology.Advance(0.001).Answer("primary", Primary(160)).Advance(0.001);
        Assert.False(Demand().Allows(_topology["analytics"]));
        var asOf = Now;
        _topology.Answer("primary", Primary(170));
        Assert.True(_session.Demand(_topology.Current, asOf).Allows(_topology["analytics"]));
        Assert.Equal(170UL, Demand().Floor.Lsn);
        _topology.Advance(0.001);
        Assert.False(Demand().Allows(_topology["analytics"]));
    }

    [Fact]
    public void Only_moving_to_another_replica_requires_the_received_position_I2()
    {
        Do("analytics");
        Assert.True(Demand().Allows(_topology["analytics"]));
        Assert.False(Demand().Allows(_topology["background"]));
        Assert.True(Demand().Floor.IsNone);

        // Records can be visible before they are reported as replayed, but not beyond the received position.
        _topology.Answer("analytics", Replica(150, received: 190));
        _session.Release();
        Assert.True(Demand().Allows(_topology["background"]));
        Assert.Equal(190UL, Demand().Floor.Lsn);
    }

    [Fact]
    public void A_replica_that_may_have_crashed_proves_nothing_but_the_primary_does()
    {
        Do("analytics");
        _session.Release();
        _topology.Answer("analytics", Replica(120) with { ConnectedAt = Now });
        Assert.False(Demand().Allows(_topology["background"]));
        _topology.Answer("primary", Primary(200));
        Assert.Equal(200UL, Demand().Floor.Lsn);
        Assert.True(Demand().Allows(_topology["background"]));
    }

    [Fact]
    public void A_new_connection_continues_only_if_the_host_cannot_have_crashed_in_between()
    {
        var before = Now;
        _topology.Advance(0.001);
        Do("analytics");
        Assert.NotNull(_session.FloorOn(_topology.Current, _topology["analytics"], before));
        var later = Now;
        Assert.Null(_session.FloorOn(_topology.Current, _topology["analytics"], later));
        _topology.Advance(0.001).Answer("analytics", Replica(100));                             // over an older connection
        Assert.NotNull(_session.FloorOn(_topology.Current, _topology["analytics"], later));
        _topology.Advance(0.001).Answer("analytics", Replica(100) with { ConnectedAt = later });
        Assert.Null(_session.FloorOn(_topology.Current, _topology["analytics"], later));
    }

    [Theory]
    [InlineData(140, false)]    // the promoted standby had replayed this position
    [InlineData(150, false)]
    [InlineData(151, true)]     // it had not, so the write is lost
    public void A_position_on_the_former_timeline_is_valid_up_to_the_fork_T21(ulong lsn, bool isLost)
    {
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, lsn), default, false), Now);
        Promote("analytics", replayed: 150, insert: 180);
        var demand = Demand();
        Assert.Equal(isLost ? SessionFinding.LostHistory : SessionFinding.None, demand.Finding);
        Assert.Equal(isLost, _session.HasLostHistory);
        Assert.Equal(isLost ? 180 : lsn, demand.Floor.Lsn);
        Assert.Equal(SessionFinding.None, Demand().Finding);
    }

    [Fact]
    public void A_write_without_a_learned_position_counts_as_lost_after_a_failover()
    {
        Do("primary", isWrite: true);
        _topology.Fail("primary", FailureKind.Unreachable);
        Assert.False(Demand().Allows(_topology["analytics"]));
        Promote("analytics", replayed: 150, insert: 180);
        Assert.Equal(SessionFinding.LostHistory, Demand().Finding);
        Assert.True(Demand().Allows(_topology["analytics"]));
        Assert.Equal(180UL, Demand().Floor.Lsn);
    }

    [Fact]
    public void No_replica_is_eligible_until_a_primary_shows_the_end_of_a_former_timeline()
    {
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, 120), default, false), Now);
        _topology.Fail("primary", FailureKind.Unreachable).Answer("analytics", Replica(200, timeline: 2));
        Assert.Equal(ulong.MaxValue, Demand().Floor.Lsn);
    }

    [Fact]
    public void A_token_of_another_cluster_is_dropped()
    {
        _session.Merge(new SessionToken(new WalPosition(99, 1, 500), default, false), Now);
        Assert.Equal(SessionFinding.ForeignToken, Demand().Finding);
        Assert.Equal(new ReadRequirement { Timeline = 1 }, Demand());
    }

    [Fact]
    public void A_foreign_token_does_not_hide_the_sessions_own_writes()
    {
        _session.Merge(new SessionToken(new WalPosition(99, 9, 500), default, false), Now);
        Do("primary", isWrite: true);
        _topology.Answer("primary", Primary(160));
        Assert.Equal(new WalPosition(Cluster, 1, 160), _session.Export(_topology.Current, Now, default).Token!.Value.Position);
    }

    [Fact]
    public void A_foreign_open_token_is_dropped_and_one_without_a_position_fences_no_host()
    {
        _session.Merge(new SessionToken(new WalPosition(99, 9, 0), default, true), Now);
        Assert.Equal(SessionFinding.ForeignToken, Demand().Finding);
        Assert.True(Demand().Allows(_topology["analytics"]));
        _session.Merge(new SessionToken(new WalPosition(Cluster, 9, 0), default, false), Now);
        Assert.Equal("primary", Candidates(DatabaseOperation.Write).Hosts);
    }

    [Fact]
    public void Lost_history_is_reported_once_even_with_an_open_connection()
    {
        _session.Begin(_topology["primary"].Configuration, 1, true, Now);
        _topology.Advance(0.001);
        var asOf = Now;
        Promote("analytics", replayed: 150, insert: 180);
        Assert.Equal(SessionFinding.LostHistory, _session.Demand(_topology.Current, asOf).Finding);
        asOf = Now;
        _topology.Advance(0.01).Answer("analytics", Primary(190, timeline: 2) with { StartedAt = 1 });
        var demand = _session.Demand(_topology.Current, asOf);
        Assert.Equal((SessionFinding.None, 190UL), (demand.Finding, demand.Floor.Lsn));
    }

    /// <summary>An idle primary can keep WAL records without a commit, for example from pruning, in memory. It soon flushes all commits, even asynchronous ones.</summary>
    [Fact]
    public void WAL_that_stays_unflushed_longer_than_any_commit_is_not_required()
    {
        Do("primary", isWrite: true);
        _topology.Answer("primary", Primary(160) with { FlushLsn = 150 });
        Assert.Equal(160UL, Demand().Floor.Lsn);
        _topology.Advance(0.5).Answer("primary", Primary(160) with { FlushLsn = 150 });
        Assert.Equal(160UL, Demand().Floor.Lsn);
        _topology.Advance(0.2).Answer("primary", Primary(160) with { FlushLsn = 155 });
        Assert.Equal(155UL, Demand().Floor.Lsn);
    }

    [Fact]
    public void With_a_session_window_a_write_in_flight_counts_as_of_now()
    {
        var now = DateTimeOffset.UnixEpoch.AddYears(60);
        Assert.Null(_session.ExportTime(now));
        _session.Begin(_topology["primary"].Configuration, 1, true, Now);
        Assert.Equal(now, _session.ExportTime(now)!.Value.IssuedAt);
        Assert.True(_session.Demand(now, TimeSpan.FromSeconds(1)).IsWriteRecent);
    }

    [Fact]
    public void A_standby_with_a_hidden_timeline_counts_only_while_the_primary_is_healthy()
    {
        _topology.Answer("analytics", Replica(200, timeline: null) with { ReplayTimeline = 1, IsTimelineHidden = true });
        Assert.Equal(200UL, _topology.Current.ReplayedBy(_topology["analytics"]));
        _topology.Fail("primary", FailureKind.Unreachable);
        Assert.Equal(0UL, _topology.Current.ReplayedBy(_topology["analytics"]));
        _topology.Answer("analytics", Replica(200, timeline: null) with { ReplayTimeline = 1 });    // its WAL receiver ended with the primary
        Assert.Equal(200UL, _topology.Current.ReplayedBy(_topology["analytics"]));
    }

    private (string Hosts, Verdict Fallback) Candidates(DatabaseRoute route, string? instead = null)
    {
        var plan = _topology.Configuration.PlanOf(route);
        var request = RouteRequest.For(plan, default, _topology.Time) with { Floor = Demand().Floor };
        var choice = HostSelection.Choose(_topology.Current, plan, request, _topology.Loads(), new Random(1));
        if (choice.Host is null) return ("", Eligibility.Judge(_topology.Current, _topology["primary"], plan, plan.Tiers[0], request));
        return instead == choice.Host.Name ? ("", choice.Fallback) : (choice.Host.Name, choice.Fallback);
    }

    private void Promote(string host, ulong replayed, ulong insert)
    {
        _topology.Fail("primary", FailureKind.Unreachable).Answer(host, Replica(replayed)).Advance(0.01);
        _topology.Answer(host, Primary(insert, timeline: 2) with { ReplayLsn = replayed, StartedAt = 1 }).Advance(0.01);
    }
}
