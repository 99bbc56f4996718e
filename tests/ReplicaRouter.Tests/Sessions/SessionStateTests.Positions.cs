using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

public partial class SessionStateTests
{
    [Fact]
    public void A_position_beyond_the_primarys_end_is_dropped_once_the_primary_answers()
    {
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, 1_000_000), default, false), Now);
        Assert.Equal(1_000_000UL, Demand().Floor.Lsn);
        _topology.Advance(0.001).Answer("primary", Primary(110));
        Assert.Equal((110UL, SessionFinding.LostHistory), (Demand().Floor.Lsn, SessionFinding.LostHistory));
        Assert.True(_session.HasLostHistory);
    }

    [Fact]
    public void A_newer_timeline_rules_out_an_old_primary_until_all_hosts_contradict_it()
    {
        _session.Merge(new SessionToken(new WalPosition(Cluster, 2, 120), default, false), Now);
        Assert.Equal(("", Verdict.OldTimeline), Candidates(DatabaseOperation.Write));
        Assert.Equal("", Candidates(DatabaseOperation.Read).Hosts);
        _topology.Advance(0.001).Answer("primary", Primary(110)).Answer("analytics", Replica(110)).Answer("background", Replica(110));
        Assert.Equal(SessionFinding.LostHistory, Demand().Finding);
        Assert.Equal("primary", Candidates(DatabaseOperation.Write).Hosts);
    }

    [Fact]
    public void The_later_position_of_two_tokens_is_required()
    {
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, 130), default, false), Now);
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, 120), default, false), Now);
        Assert.Equal(130UL, Demand().Floor.Lsn);
    }

    [Fact]
    public void A_token_issued_during_a_write_makes_the_next_session_ask_the_primary()
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
    public void A_token_without_the_last_writes_position_makes_the_next_session_ask_for_it()
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

    /// <summary>Two probes overlap: the standby's was sent first, but shows WAL that the primary wrote after answering its own probe.</summary>
    [Fact]
    [Trait("Failure", "A11")]
    public void An_older_answer_of_the_primary_does_not_contradict_a_newer_position()
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

    /// <summary>The learned position of a write lies after it. The WAL in between is from others, and from commits that no standby had and no caller saw acknowledged.</summary>
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
        var demand = other.Demand(_topology.Current, Now);     // its position was never learned
        Assert.Equal((180UL, isReported), (demand.Floor.Lsn, other.HasLostHistory));
    }

    [Fact]
    [Trait("Failure", "A11")]
    public void Without_having_seen_the_failover_the_replication_mode_decides()
    {
        _topology.Answer("primary", Primary(300, timeline: 2) with { HasSynchronousStandbys = true });
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, 150), default, false), Now);
        Assert.Equal((300UL, false), (Demand().Floor.Lsn, _session.HasLostHistory));
    }

    /// <summary>Exporting a token reports a loss exactly when a read would.</summary>
    [Fact]
    public void An_export_reports_lost_history_exactly_when_a_read_would()
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
    [InlineData(150, 155, 155)]     // a part of it was flushed meanwhile
    [InlineData(150, 160, 160)]
    [InlineData(200, 155, 160)]     // beyond the primary's end, so not a commit of this primary
    public void A_position_is_lowered_to_the_flushed_one_only_if_the_primary_has_reached_it(ulong first, ulong flushed, ulong floor)
    {
        var lsn = Math.Max(first, 160UL);
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, lsn), default, false), Now);
        _topology.Advance(0.7).Answer("primary", Primary(160) with { FlushLsn = flushed });
        Assert.Equal((floor, lsn > 160), (Demand().Floor.Lsn, _session.HasLostHistory));
    }

    /// <summary>The cluster abandons timeline 2, and promotes again from timeline 1.</summary>
    [Theory]
    [Trait("Failure", "A12")]
    [InlineData(140, 150)]
    [InlineData(150, 140)]
    public void A_lost_timeline_is_reported_even_if_the_current_one_has_the_same_number(ulong firstFork, ulong secondFork)
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
    public void Tokens_of_two_timelines_with_one_number_report_lost_history()
    {
        Promote("analytics", replayed: 150, insert: 180);
        _session.Merge(new SessionToken(new WalPosition(Cluster, 2, 160) { Fork = 150 }, default, false), Now);
        Assert.Equal((160UL, SessionFinding.None), (Demand().Floor.Lsn, Demand().Finding));
        _session.Merge(new SessionToken(new WalPosition(Cluster, 2, 170) { Fork = 140 }, default, false), Now);
        Assert.Equal((180UL, SessionFinding.LostHistory), (Demand().Floor.Lsn, SessionFinding.LostHistory));
        Assert.True(_session.HasLostHistory);
    }

    [Fact]
    public void An_export_reports_a_loss_once()
    {
        Do("primary", isWrite: true);
        Promote("analytics", replayed: 150, insert: 180);
        Assert.Equal(SessionFinding.LostHistory, _session.Export(_topology.Current, Now, default).Finding);
        Assert.True(_session.HasLostHistory);
        Assert.Equal(SessionFinding.None, _session.Export(_topology.Current, Now, default).Finding);
    }

    /// <summary>What was written there is lost if the later timeline branched off before it, so the next process must know.</summary>
    [Theory]
    [InlineData("primary analytics", 1, 0)]
    [InlineData("analytics primary", 1, 0)]
    [InlineData("analytics", 2, 150)]
    public void A_token_issued_during_writes_names_their_earliest_timeline(string hosts, int timeline, ulong fork)
    {
        Promote("analytics", replayed: 150, insert: 180);
        foreach (var host in hosts.Split(' ')) _session.Begin(_topology[host].Configuration, host == "primary" ? 1 : 2, true, Now, host == "primary" ? 0 : 150UL);
        Assert.Equal(new WalPosition(Cluster, timeline, 0) { Fork = fork }, _session.Export(_topology.Current, Now, default).Token!.Value.Position);
    }

    /// <summary>A received position behind the replayed one is out of date: the standby replays from an archive.</summary>
    [Theory]
    [InlineData(190UL, true)]
    [InlineData(150UL, true)]
    [InlineData(149UL, false)]
    [InlineData(null, false)]
    public void Only_a_received_position_at_or_after_the_replayed_one_covers_reads(ulong? received, bool isCovered)
    {
        Do("analytics");
        _session.Release();
        _topology.Answer("analytics", Replica(150) with { ReceiveLsn = received });
        Assert.Equal((isCovered, isCovered ? received!.Value : 0), (Demand().Allows(_topology["background"]), Demand().Floor.Lsn));
    }

    [Fact]
    public void A_token_that_says_what_the_session_began_with_is_no_news()
    {
        var wroteAt = _topology.Time.GetUtcNow();
        _session.Merge(new SessionToken(new WalPosition(Cluster, 1, 130), wroteAt, false), Now);
        _session.Wrote(wroteAt);
        Assert.True(_session.HasNews);
        _session.ForgetNews();
        Assert.False(_session.HasNews);
        static SessionToken At(ulong lsn, DateTimeOffset at = default, bool isOpen = false) => new(lsn == 0 ? default : new WalPosition(Cluster, 1, lsn), at, isOpen);
        Assert.True(_session.BeganWith(At(130)));
        Assert.True(_session.BeganWith(At(120)));
        Assert.False(_session.BeganWith(At(131)));
        Assert.False(_session.BeganWith(At(130, isOpen: true)));
        // Where positions can't be used, a token holds the time of the last write.
        Assert.True(_session.BeganWith(At(0, wroteAt)));
        Assert.False(_session.BeganWith(At(0, wroteAt.AddSeconds(1))));
    }

    [Fact]
    public void A_session_that_lost_history_always_has_news()
    {
        var token = new SessionToken(new WalPosition(Cluster, 1, 1000), default, false);
        _session.Merge(token, Now);
        _session.ForgetNews();
        Assert.True(_session.BeganWith(token));
        _topology.Advance(0.001).Answer("primary", Primary(110));
        Assert.Equal(SessionFinding.LostHistory, Demand().Finding);
        Assert.False(_session.BeganWith(token));
    }

    [Fact]
    public void With_a_session_window_the_latest_write_of_all_tokens_counts()
    {
        var now = _topology.Time.GetUtcNow();
        _session.Merge(new SessionToken(default, now, false), Now);
        _session.Merge(new SessionToken(default, now.AddSeconds(-5), false), Now);
        Assert.Equal(now, _session.ExportTime(now.AddSeconds(9))!.Value.IssuedAt);
        Assert.True(_session.Demand(now.AddSeconds(9.9), TimeSpan.FromSeconds(10)).IsWriteRecent);
        Assert.False(_session.Demand(now.AddSeconds(10), TimeSpan.FromSeconds(10)).IsWriteRecent);
    }

    [Fact]
    public void With_a_session_window_the_session_still_prefers_its_replica()
    {
        Do("analytics");
        Assert.Equal((_topology["analytics"].Configuration.Bit, false), (WindowDemand().Affinity, WindowDemand().IsWriteRecent));
        _session.Release();
        Assert.Equal(0UL, WindowDemand().Affinity);

        ReadRequirement WindowDemand() => _session.Demand(_topology.Time.GetUtcNow(), TimeSpan.FromSeconds(10));
    }
}
