using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

public class SessionStateTests
{
    private readonly TestTopology _topology = new("primary", "analytics", "background");
    private readonly SessionState _session;

    public SessionStateTests()
    {
        _session = new SessionState(_topology.Time);
        _topology.Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100)).Advance(1);
    }

    private long Now => _topology.Time.GetTimestamp();

    private SessionDemand Demand() => _session.Demand(_topology.Current, Now);

    private void Do(string host, bool isWrite = false)
    {
        var configuration = _topology[host].Configuration;
        var use = _session.Begin(configuration, _topology.Current.Timeline, isWrite, Now, _topology.Current.History.ForkOf(_topology.Current.Timeline));
        _topology.Advance(0.001);
        _session.End(use, Now);
        _topology.Advance(0.001);
    }

    [Fact]
    public void A_session_that_did_nothing_asks_for_nothing()
    {
        Assert.Equal(new SessionDemand { Timeline = 1 }, Demand());
        Assert.Null(_session.Export(_topology.Current, Now, default).Token);
    }

    [Fact]
    public void A_write_is_settled_by_the_first_answer_of_the_primary_that_was_sent_after_it()
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
    public void What_an_open_connection_may_still_do_is_asked_for_anew_by_each_read_H51()
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
    public void Reading_on_the_same_replica_needs_no_position_and_moving_on_needs_all_that_it_had_received_I2()
    {
        Do("analytics");
        Assert.True(Demand().Allows(_topology["analytics"]));
        Assert.False(Demand().Allows(_topology["background"]));
        Assert.True(Demand().Floor.IsNone);

        // What replay has just made visible may lie beyond what it reports as replayed, not beyond what was received.
        _topology.Answer("analytics", Replica(150, received: 190));
        _session.Release();
        Assert.True(Demand().Allows(_topology["background"]));
        Assert.Equal(190UL, Demand().Floor.Lsn);
    }

    [Fact]
    public void A_replica_that_may_have_crashed_since_is_no_witness_but_the_primary_is()
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
    public void A_new_connection_continues_only_where_nothing_can_have_crashed_in_between()
    {
        var before = Now;
        _topology.Advance(0.001);
        Do("analytics");
        Assert.NotNull(_session.FloorOn(_topology.Current, _topology["analytics"], before));
        var later = Now;
        Assert.Null(_session.FloorOn(_topology.Current, _topology["analytics"], later));
        _topology.Advance(0.001).Answer("analytics", Replica(100));                             // over a connection from before
        Assert.NotNull(_session.FloorOn(_topology.Current, _topology["analytics"], later));
        _topology.Advance(0.001).Answer("analytics", Replica(100) with { ConnectedAt = later });
        Assert.Null(_session.FloorOn(_topology.Current, _topology["analytics"], later));
    }

    [Theory]
    [InlineData(140, false)]    // the promoted standby had replayed it
    [InlineData(150, false)]
    [InlineData(151, true)]     // it had not: what was written there is lost
    public void A_position_of_the_former_timeline_counts_up_to_the_fork_T21(ulong lsn, bool isLost)
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
    public void A_write_whose_position_was_never_learnt_before_a_failover_may_be_lost()
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
    public void As_long_as_no_primary_tells_where_a_former_timeline_ended_no_replica_is_proven_to_reach_it()
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
        Assert.Equal(new SessionDemand { Timeline = 1 }, Demand());
    }

    [Fact]
    public void A_foreign_token_hides_nothing_that_the_session_did_itself()
    {
        _session.Merge(new SessionToken(new WalPosition(99, 9, 500), default, false), Now);
        Do("primary", isWrite: true);
        _topology.Answer("primary", Primary(160));
        Assert.Equal(new WalPosition(Cluster, 1, 160), _session.Export(_topology.Current, Now, default).Token!.Value.Position);
    }

    [Fact]
    public void An_open_token_of_another_cluster_is_dropped_and_one_without_a_position_fences_nobody()
    {
        _session.Merge(new SessionToken(new WalPosition(99, 9, 0), default, true), Now);
        Assert.Equal(SessionFinding.ForeignToken, Demand().Finding);
        Assert.True(Demand().Allows(_topology["analytics"]));
        _session.Merge(new SessionToken(new WalPosition(Cluster, 9, 0), default, false), Now);
        Assert.Equal("primary", Candidates(DatabaseOperation.Write).Hosts);
    }

    [Fact]
    public void A_lost_history_is_told_once_also_when_the_connection_is_still_open()
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

    /// <summary>Records that nobody waits for, as of pruning, stay in an idle primary's memory; commits do not, also asynchronous ones.</summary>
    [Fact]
    public void What_the_primary_keeps_to_itself_for_longer_than_any_commit_is_not_waited_for()
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
    public void In_the_time_window_mode_a_write_under_way_is_as_of_now()
    {
        var now = DateTimeOffset.UnixEpoch.AddYears(60);
        Assert.Null(_session.ExportTime(now));
        _session.Begin(_topology["primary"].Configuration, 1, true, Now);
        Assert.Equal(now, _session.ExportTime(now)!.Value.IssuedAt);
        Assert.True(_session.Demand(now, TimeSpan.FromSeconds(1)).IsWriteRecent);
    }

    [Fact]
    public void Where_the_timeline_of_a_standby_is_hidden_its_positions_count_only_while_the_primary_is_well()
    {
        _topology.Answer("analytics", Replica(200, timeline: null) with { ReplayTimeline = 1, IsTimelineHidden = true });
        Assert.Equal(200UL, _topology.Current.ReplayedBy(_topology["analytics"]));
        _topology.Fail("primary", FailureKind.Unreachable);
        Assert.Equal(0UL, _topology.Current.ReplayedBy(_topology["analytics"]));
        _topology.Answer("analytics", Replica(200, timeline: null) with { ReplayTimeline = 1 });    // its receiver is gone with the primary
        Assert.Equal(200UL, _topology.Current.ReplayedBy(_topology["analytics"]));
    }

    [Fact]
    public void A_position_beyond_the_primarys_end_is_given_up_once_the_primary_says_so()
    {
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, 1_000_000), default, false), Now);
        Assert.Equal(1_000_000UL, Demand().Floor.Lsn);
        _topology.Advance(0.001).Answer("primary", Primary(110));
        Assert.Equal((110UL, SessionFinding.LostHistory), (Demand().Floor.Lsn, SessionFinding.LostHistory));
        Assert.True(_session.HasLostHistory);
    }

    [Fact]
    public void Who_has_seen_a_newer_timeline_is_not_served_by_an_old_primary_until_all_hosts_deny_it()
    {
        _session.Merge(new SessionToken(new WalPosition(Cluster, 2, 120), default, false), Now);
        Assert.Equal(("", Verdict.OldTimeline), Candidates(DatabaseOperation.Write));
        Assert.Equal("", Candidates(DatabaseOperation.Read).Hosts);
        _topology.Advance(0.001).Answer("primary", Primary(110)).Answer("analytics", Replica(110)).Answer("background", Replica(110));
        Assert.Equal(SessionFinding.LostHistory, Demand().Finding);
        Assert.Equal("primary", Candidates(DatabaseOperation.Write).Hosts);
    }

    [Fact]
    public void The_later_of_two_tokens_counts()
    {
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, 130), default, false), Now);
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, 120), default, false), Now);
        Assert.Equal(130UL, Demand().Floor.Lsn);
    }

    [Fact]
    public void A_token_that_is_made_while_a_write_is_under_way_has_the_next_one_ask_the_primary_for_its_commit()
    {
        var use = _session.Begin(_topology["primary"].Configuration, 1, true, Now);
        _topology.Advance(0.001).Answer("primary", Primary(160)).Advance(0.001);
        var (token, unsettled, _) = _session.Export(_topology.Current, _topology.Time.GetTimestamp() - 1, default);
        Assert.True(token!.Value.IsOpen);
        Assert.Equal(0UL, unsettled);

        _session.End(use, Now);
        _topology.Advance(0.001).Answer("primary", Primary(170)).Advance(0.001);
        var next = new SessionState(_topology.Time);
        next.Merge(token.Value, Now);
        Assert.False(next.Demand(_topology.Current, Now).Allows(_topology["analytics"]));
        Assert.Equal(new WalPosition(Cluster, 1, 170), _session.Export(_topology.Current, Now, default).Token!.Value.Position);
    }

    [Fact]
    public void A_token_of_a_session_whose_last_write_has_no_position_yet_has_the_next_one_ask_the_primary()
    {
        Do("primary", isWrite: true);
        var (token, unsettled, _) = _session.Export(_topology.Current, Now, default);
        Assert.True(token!.Value.IsOpen);
        Assert.Equal(_topology["primary"].Configuration.Bit, unsettled);

        var next = new SessionState(_topology.Time);
        next.Merge(token.Value, Now);
        Assert.False(next.Demand(_topology.Current, Now).Allows(_topology["analytics"]));
        _topology.Advance(0.001).Answer("primary", Primary(160));
        Assert.Equal(160UL, next.Demand(_topology.Current, Now).Floor.Lsn);
    }

    /// <summary>Two questions overlap: the standby's was sent first, and shows what the primary wrote after it had answered the other one.</summary>
    [Fact]
    [Trait("Failure", "A11")]
    public void A_position_that_became_known_after_the_primarys_answer_is_not_denied_by_it()
    {
        Do("analytics");
        _session.Release();
        var sentFirst = Now;
        var sentSecond = _topology.Advance(0.001).Time.GetTimestamp();
        _topology.Advance(0.001).Answer("analytics", Replica(150), sentFirst);
        Assert.Equal(150UL, Demand().Floor.Lsn);
        _topology.Advance(0.001).Answer("primary", Primary(140), sentSecond);
        Assert.Equal((150UL, SessionFinding.None), (Demand().Floor.Lsn, Demand().Finding));
        Assert.False(_session.HasLostHistory);

        _topology.Advance(0.001).Answer("primary", Primary(149));
        Assert.Equal(SessionFinding.LostHistory, Demand().Finding);
    }

    /// <summary>What is known of a write is a position after it. The WAL in between is of others, and of commits that no standby had, so that no caller was answered.</summary>
    [Theory]
    [Trait("Failure", "A11")]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_failover_with_synchronous_replication_loses_no_acknowledged_write(bool isSynchronous, bool isReported)
    {
        var primary = Primary(170) with { HasSynchronousStandbys = isSynchronous };
        Do("primary", isWrite: true);
        _topology.Answer("primary", primary);
        Assert.Equal(170UL, Demand().Floor.Lsn);
        var other = new SessionState(_topology.Time);
        other.End(other.Begin(_topology["primary"].Configuration, 1, true, Now), Now);

        Promote("analytics", replayed: 150, insert: 180);
        Assert.Equal((180UL, isReported), (Demand().Floor.Lsn, _session.HasLostHistory));
        var demand = other.Demand(_topology.Current, Now);     // its position was never learnt
        Assert.Equal((180UL, isReported), (demand.Floor.Lsn, other.HasLostHistory));
    }

    [Fact]
    [Trait("Failure", "A11")]
    public void A_process_that_did_not_see_the_failover_goes_by_how_the_cluster_is_run()
    {
        _topology.Answer("primary", Primary(300, timeline: 2) with { HasSynchronousStandbys = true });
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, 150), default, false), Now);
        Assert.Equal((300UL, false), (Demand().Floor.Lsn, _session.HasLostHistory));
    }

    /// <summary>A token says what was seen, and no export of one finds a loss that no read would.</summary>
    [Fact]
    public void An_export_without_a_loss_reports_none_and_one_with_a_loss_does()
    {
        Do("primary", isWrite: true);
        _topology.Answer("primary", Primary(160));
        Assert.Equal((SessionFinding.None, false), (_session.Export(_topology.Current, Now, default).Finding, _session.HasLostHistory));
        Promote("analytics", replayed: 150, insert: 180);
        Do("analytics", isWrite: true);
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, 155), default, false), Now);
        Assert.Equal((SessionFinding.LostHistory, true), (_session.Export(_topology.Current, Now, default).Finding, _session.HasLostHistory));
    }

    [Theory]
    [InlineData(150, 155, 155)]     // flushed meanwhile, a part of it
    [InlineData(150, 160, 160)]
    [InlineData(200, 155, 160)]     // beyond the primary's end: no commit of this primary's
    public void A_position_is_lowered_to_what_was_flushed_only_on_a_primary_that_has_been_there(ulong first, ulong flushed, ulong floor)
    {
        var lsn = Math.Max(first, 160UL);
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, lsn), default, false), Now);
        _topology.Advance(0.7).Answer("primary", Primary(160) with { FlushLsn = flushed });
        Assert.Equal((floor, lsn > 160), (Demand().Floor.Lsn, _session.HasLostHistory));
    }

    /// <summary>The cluster took timeline 2 back, and promoted again from timeline 1.</summary>
    [Theory]
    [Trait("Failure", "A12")]
    [InlineData(140, 150)]
    [InlineData(150, 140)]
    public void What_was_seen_on_a_lost_timeline_is_reported_though_the_present_one_has_its_number(ulong firstFork, ulong secondFork)
    {
        Promote("analytics", replayed: firstFork, insert: 180);
        Do("analytics", isWrite: true);
        _topology.Answer("analytics", Primary(200, timeline: 2) with { ReplayLsn = firstFork, StartedAt = 1 });
        var written = _session.Export(_topology.Current, Now, default).Token!.Value;
        Assert.Equal(new WalPosition(Cluster, 2, 200) { Fork = firstFork }, written.Position);
        var unsettled = new SessionState(_topology.Time);
        unsettled.End(unsettled.Begin(_topology["analytics"].Configuration, 2, true, Now, firstFork), _topology.Advance(0.001).Time.GetTimestamp());

        _topology.Advance(0.001).Fail("analytics", FailureKind.Unreachable).Answer("background", Replica(secondFork)).Advance(0.01);
        _topology.Answer("background", Primary(300, timeline: 2) with { ReplayLsn = secondFork, StartedAt = 1 }).Advance(0.01);
        Assert.Equal("background", _topology.Current.Primary?.Name);
        var elsewhere = new SessionState(_topology.Time);
        elsewhere.Merge(written, Now);
        foreach (var session in new[] { _session, unsettled, elsewhere })
        {
            var demand = session.Demand(_topology.Current, Now);
            Assert.Equal((SessionFinding.LostHistory, 300UL, true), (demand.Finding, demand.Floor.Lsn, session.HasLostHistory));
            Assert.Equal(SessionFinding.None, session.Demand(_topology.Current, Now).Finding);
        }

        var older = new SessionState(_topology.Time);
        older.Merge(new SessionToken(new WalPosition(Cluster, 1, secondFork), default, false), Now);
        Assert.Equal((SessionFinding.None, secondFork), (older.Demand(_topology.Current, Now).Finding, older.Demand(_topology.Current, Now).Floor.Lsn));
    }

    [Fact]
    [Trait("Failure", "A12")]
    public void Tokens_of_two_forks_of_one_number_say_that_one_of_them_is_lost()
    {
        Promote("analytics", replayed: 150, insert: 180);
        _session.Merge(new SessionToken(new WalPosition(Cluster, 2, 160) { Fork = 150 }, default, false), Now);
        Assert.Equal((160UL, SessionFinding.None), (Demand().Floor.Lsn, Demand().Finding));
        _session.Merge(new SessionToken(new WalPosition(Cluster, 2, 170) { Fork = 140 }, default, false), Now);
        Assert.Equal((180UL, SessionFinding.LostHistory), (Demand().Floor.Lsn, SessionFinding.LostHistory));
        Assert.True(_session.HasLostHistory);
    }

    private (string Hosts, Verdict Fallback) Candidates(DatabaseRoute route, string? instead = null)
    {
        var plan = _topology.Configuration.PlanOf(route);
        var request = RouteRequest.For(plan, default, _topology.Time) with { Floor = Demand().Floor };
        var choice = HostSelection.Choose(_topology.Current, plan, request, _topology.Loads(), new Random(1));
        if (choice.Host is null) return ("", Eligibility.Judge(_topology.Current, _topology["primary"], plan.Tiers[0], request, false));
        return instead == choice.Host.Name ? ("", choice.Fallback) : (choice.Host.Name, choice.Fallback);
    }

    private void Promote(string host, ulong replayed, ulong insert)
    {
        _topology.Fail("primary", FailureKind.Unreachable).Answer(host, Replica(replayed)).Advance(0.01);
        _topology.Answer(host, Primary(insert, timeline: 2) with { ReplayLsn = replayed, StartedAt = 1 }).Advance(0.01);
    }
}
