using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Topology;

/// <summary>What is believed of the cluster's timeline has a witness, and goes with the last one.</summary>
public class TimelineBeliefTests
{
    /// <summary>A standby that was promoted by mistake beside a primary that is well.</summary>
    private static TestTopology WithMistake()
    {
        var topology = new TestTopology("primary", "analytics", "dr").Answer("primary", Primary(500)).Answer("analytics", Replica(500)).Answer("dr", Replica(500));
        topology.Advance(1).Answer("dr", Primary(400, timeline: 2));
        Assert.Equal(("dr", HostState.Fenced), (topology.Current.Primary!.Name, topology["primary"].State));
        return topology;
    }

    private static void Remove(TestTopology topology, string host) =>
        topology.Change(current => current.WithHosts([.. current.Hosts.Select(known => known.Configuration).Where(known => known.Name != host)], topology.Time));

    private static HostConfiguration Discovered(TestTopology topology, string name, int index) => topology["primary"].Configuration with
    {
        Name = name,
        Index = index,
        AddedAt = 1,
        IsDiscovered = true,
        Connection = new Npgsql.NpgsqlConnectionStringBuilder { Host = $"10.0.0.{index + 1}" },
    };

    private static void Add(TestTopology topology, params string[] names) => topology.Change(current => current.WithHosts(
        [.. current.Hosts.Select(host => host.Configuration), .. names.Select((name, i) => Discovered(topology, name, current.Hosts.Length + i))], topology.Time));

    [Fact]
    [Trait("Failure", "A1")]
    public void A_timeline_goes_with_the_last_host_that_vouches_for_it_when_that_is_removed()
    {
        var topology = WithMistake().Fail("dr", FailureKind.Unreachable);
        Assert.Null(topology.Current.Primary);
        Remove(topology, "dr");
        Assert.Equal("primary", topology.Current.Primary?.Name);
        Assert.Equal((1, HostState.Healthy), (topology.Current.Timeline, topology["primary"].State));
        topology.Advance(1).Answer("primary", Primary(600)).Answer("analytics", Replica(600));
        Assert.Equal("primary", topology.Candidates(DatabaseOperation.Write).Hosts);
        Assert.Equal("analytics", topology.Candidates(DatabaseOperation.Read).Hosts);
        Assert.Equal(600UL, topology.Current.Wal.NewestLsn);
    }

    [Fact]
    [Trait("Failure", "A1")]
    public void A_host_that_is_rebuilt_as_a_standby_vouches_no_longer()
    {
        var topology = WithMistake().Advance(1).Answer("dr", Replica(500));
        Assert.Equal("primary", topology.Current.Primary?.Name);
        Assert.Equal(HostState.Healthy, topology.Answer("primary", Primary(500))["dr"].State);
    }

    [Fact]
    [Trait("Failure", "A1")]
    public void A_host_that_is_found_to_be_foreign_vouches_no_longer()
    {
        var topology = WithMistake().Advance(1).Answer("dr", Primary(400, timeline: 2, cluster: 42));
        Assert.Equal("primary", topology.Current.Primary?.Name);
        Assert.Equal(HostState.ForeignCluster, topology["dr"].State);
    }

    [Fact]
    public void A_host_that_does_not_answer_goes_on_vouching_and_the_message_names_it_and_all_that_can_be_done()
    {
        var topology = WithMistake().Fail("dr", FailureKind.Unreachable).Advance(3600).Answer("primary", Primary(700));
        Assert.Null(topology.Current.Primary);
        var error = topology["primary"].Error!;
        Assert.Contains("dr was seen to do so and has been silent for 3600 s", error, StringComparison.Ordinal);
        Assert.Contains("Start dr", error, StringComparison.Ordinal);
        Assert.Contains("remove dr from the configuration", error, StringComparison.Ordinal);
        Assert.Contains("replica-router accept primary", error, StringComparison.Ordinal);
        Assert.DoesNotContain("pg_rewind", error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_message_does_not_have_the_only_good_server_destroyed()
    {
        var error = WithMistake()["primary"].Error!;
        Assert.Contains("dr takes writes on it", error, StringComparison.Ordinal);
        Assert.Contains("it may be the only good server", error, StringComparison.Ordinal);
        Assert.DoesNotContain("pg_rewind", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_standby_that_goes_on_following_the_new_timeline_keeps_it()
    {
        var topology = WithMistake().Answer("analytics", Replica(410, timeline: 2)).Fail("dr", FailureKind.Unreachable);
        Remove(topology, "dr");
        Assert.Equal((2, null), (topology.Current.Timeline, topology.Current.Primary?.Name));
        Assert.Contains("analytics follows it", topology["primary"].Error, StringComparison.Ordinal);
    }

    // The new primary was killed while the old one could not be reached, and the old one answers again: whether a router saw the new one or not, it sends no write to the old one.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_old_primary_that_returns_after_the_new_one_was_killed_gets_no_writes_in_any_view(bool hasSeenNewPrimary)
    {
        var topology = new TestTopology("primary", "analytics", "background");
        if (hasSeenNewPrimary) topology.Answer("analytics", Primary(400, timeline: 2));
        // Its WAL receiver is dead by now: only what it replayed tells.
        topology.Advance(1).Fail("analytics", FailureKind.Unreachable).Answer("background", Replica(400, timeline: null) with { ReplayTimeline = 2 }).Answer("primary", Primary(9000));
        Assert.Null(topology.Current.Primary);
        Assert.Equal(HostState.Fenced, topology["primary"].State);
        Assert.Empty(topology.Candidates(DatabaseOperation.Write).Hosts);
    }

    [Fact]
    public void A_real_failover_fences_the_old_primary_that_returns_on_the_lower_timeline_until_it_is_in_recovery()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(500)).Answer("analytics", Replica(500));
        topology.Advance(1).Fail("primary", FailureKind.Unreachable).Answer("analytics", Primary(500, timeline: 2));
        Assert.Equal(HostState.Fenced, topology.Advance(1).Answer("primary", Primary(900))["primary"].State);
        Assert.Equal("analytics", topology.Candidates(DatabaseOperation.Write).Hosts);
        topology.Advance(1).Answer("primary", Replica(500, timeline: 2));
        Assert.NotEqual(HostState.Fenced, topology["primary"].State);
    }

    [Theory]
    [Trait("Failure", "C3")]
    [InlineData(2)]
    [InlineData(int.MaxValue)]
    public void A_discovered_standby_on_a_timeline_without_a_primary_fences_no_one_and_serves_nothing(int timeline)
    {
        foreach (var answersFirst in new[] { true, false })
        {
            var topology = new TestTopology("primary", "analytics");
            Add(topology, "fake");
            if (answersFirst) topology.Answer("fake", Replica(900, timeline));
            topology.Answer("primary", Primary(500)).Answer("analytics", Replica(500)).Advance(1).Answer("fake", Replica(900, timeline)).Answer("fake", Replica(900, timeline));
            Assert.Equal(("primary", 1), (topology.Current.Primary?.Name, topology.Current.Timeline));
            Assert.Equal("analytics", topology.Candidates(DatabaseOperation.Read).Hosts);
            Assert.False(topology["fake"].IsServing && topology["fake"].State != HostState.Recovering && topology["fake"].FreshAt is not null);
        }
    }

    [Fact]
    public void A_discovered_standby_counts_once_a_primary_was_seen_on_its_timeline_also_after_that_is_gone()
    {
        var topology = new TestTopology("primary");
        Add(topology, "pg-2", "pg-3");
        topology.Answer("primary", Primary(500)).Answer("pg-2", Primary(400, timeline: 2)).Answer("pg-3", Replica(400, timeline: 2)).Fail("pg-2", FailureKind.Unreachable);
        Remove(topology, "pg-2");
        Assert.Equal((2, HostState.Fenced), (topology.Current.Timeline, topology["primary"].State));
        Remove(topology, "pg-3");
        Assert.Equal((1, "primary"), (topology.Current.Timeline, topology.Current.Primary?.Name));
    }

    // Timelines of primary, analytics, background; who leaps.
    [Theory]
    [Trait("Failure", "C3")]
    [InlineData(1, 1, int.MaxValue, "background")]
    [InlineData(1, 1, 22, "background")]
    [InlineData(1, 1, 21, "")]
    [InlineData(40, 40, 3, "")]
    [InlineData(3, 40, 40, "")]
    [InlineData(1, 100, 200, "analytics background")]
    public void A_host_alone_on_a_timeline_that_promotions_do_not_explain_is_misconfigured_in_whatever_order_they_answer(int primary, int analytics, int background, string leaping)
    {
        (string Host, HostAnswer Answer)[] answers = [("primary", Primary(500, primary)), ("analytics", Replica(500, analytics)), ("background", Primary(900, background) with { StartedAt = 7 })];
        for (var first = 0; first < answers.Length; first++)
        {
            var topology = new TestTopology("primary", "analytics", "background");
            for (var i = 0; i < answers.Length; i++) topology.Answer(answers[(first + i) % 3].Host, answers[(first + i) % 3].Answer);
            Assert.Equal(leaping, string.Join(' ', topology.Current.Hosts.Where(host => host.State == HostState.Misconfigured).Select(host => host.Name)));
            if (leaping.Length > 0) Assert.Equal("primary", topology.Current.Primary?.Name);
        }
    }

    [Fact]
    public void A_server_that_died_long_ago_and_is_still_configured_does_not_speak_against_those_that_went_on()
    {
        var topology = new TestTopology("primary", "analytics").Answer("analytics", Replica(500)).Answer("primary", Primary(500)).Fail("analytics", FailureKind.Unreachable);
        Assert.Equal(HostState.Misconfigured, topology.Answer("primary", Primary(500, timeline: 30))["primary"].State);
        Assert.Equal("primary", topology.Advance(700).Answer("primary", Primary(500, timeline: 30)).Current.Primary?.Name);
    }

    [Fact]
    public void A_leaping_host_says_what_to_do()
    {
        var topology = new TestTopology("primary", "analytics", "dr").Answer("primary", Primary(500)).Answer("analytics", Replica(500)).Answer("dr", Replica(500, 99));
        Assert.Contains("timeline 99, more than 20 ahead of every other server", topology["dr"].Error, StringComparison.Ordinal);
        Assert.Contains("replica-router accept dr", topology["dr"].Error, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Failure", "A4")]
    public void Positions_that_standbys_showed_while_no_primary_answered_are_dropped_at_its_return()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));
        // Cut off from a primary that lives on, but is out of our reach as well.
        for (var i = 0; i < 10; i++) topology.Advance(1).Fail("primary", FailureKind.Unreachable).Answer("analytics", Replica(110));
        topology.Advance(1).Answer("primary", Primary(5000)).Answer("analytics", Replica(110));
        Assert.True(topology["analytics"].Lag >= TimeSpan.FromSeconds(10), $"{topology["analytics"].Lag}");
        Assert.Equal("primary", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void A_replica_that_answers_after_the_primary_is_as_fresh_as_the_primary_s_answer_and_no_fresher()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100));
        var seen = topology.Time.GetTimestamp();
        topology.Advance(2).Answer("analytics", Replica(100));
        Assert.Equal(seen, topology["analytics"].FreshAt);
    }

    [Fact]
    public void A_standby_without_a_receiver_beyond_the_fork_is_on_the_old_timeline()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(600, timeline: 2) with { ReplayLsn = 500 });
        HostState StateWith(HostAnswer answer) => topology.Advance(1).Answer("analytics", answer)["analytics"].State;
        var orphan = Replica(550, timeline: null) with { ReplayTimeline = 1 };
        Assert.Equal(HostState.OldTimeline, StateWith(orphan));
        Assert.NotEqual(HostState.OldTimeline, StateWith(orphan with { ReplayLsn = 500 }));
        Assert.NotEqual(HostState.OldTimeline, StateWith(orphan with { ReplayTimeline = 2 }));
        Assert.NotEqual(HostState.OldTimeline, StateWith(orphan with { IsTimelineHidden = true }));
    }

    [Fact]
    [Trait("Failure", "A1")]
    public void A_standby_of_a_promoted_server_that_was_removed_serves_nothing_though_its_control_file_shows_the_primary_s_timeline()
    {
        var topology = new TestTopology("primary", "analytics", "dr").Answer("primary", Primary(500)).Answer("dr", Primary(500, timeline: 2)).Answer("analytics", Replica(500, timeline: 2));
        var orphan = Replica(500, timeline: null) with { ReplayTimeline = 1 };
        Remove(topology, "dr");
        topology.Advance(1).Answer("primary", Primary(500)).Answer("analytics", orphan);
        Assert.Equal(("primary", HostState.OldTimeline), (topology.Current.Primary?.Name, topology["analytics"].State));
    }

    /// <summary>As a new process sees it, which knows of no promotion.</summary>
    [Fact]
    [Trait("Failure", "A1")]
    public void A_standby_that_has_replayed_more_than_the_primary_has_written_serves_nothing()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(500));
        var orphan = Replica(501, timeline: null) with { ReplayTimeline = 1 };
        // The primary may have gone on since it answered.
        Assert.Equal(HostState.Healthy, topology.Advance(1).Answer("analytics", orphan)["analytics"].State);
        Assert.Equal(HostState.Healthy, topology.Advance(1).Answer("primary", Primary(501))["analytics"].State);
        topology.Advance(1).Answer("analytics", orphan with { ReplayLsn = 502 }).Advance(1).Answer("primary", Primary(501));
        Assert.Equal(HostState.OldTimeline, topology["analytics"].State);
        Assert.Contains("has replayed WAL that the primary has not written", topology["analytics"].Error, StringComparison.Ordinal);
        // It does not come right by itself, though the primary writes as much.
        topology.Advance(1).Answer("primary", Primary(600)).Advance(1).Answer("analytics", orphan with { ReplayLsn = 502 });
        Assert.Equal(HostState.OldTimeline, topology["analytics"].State);
        Assert.Equal(HostState.Healthy, topology.Advance(1).Answer("analytics", Replica(600) with { StartedAt = 2 })["analytics"].State);
    }

    [Fact]
    public void An_order_to_read_from_the_primary_survives_the_next_answer_and_ends_with_its_time()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));
        topology.Change(current => current.WithForcedToPrimary(topology.Time.GetTimestamp() + TimeSpan.FromSeconds(5).Ticks, topology.Time));
        Assert.Equal("primary", topology.Advance(1).Answer("primary", Primary(100)).Candidates(DatabaseOperation.Read).Hosts);
        Assert.Equal("analytics", topology.Advance(5).Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void Positions_of_what_was_done_are_asked_of_the_primary_alone_as_long_as_it_is_well()
    {
        var topology = new TestTopology("primary", "analytics", "background").Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));
        Assert.Equal(0b001UL, topology.Current.WitnessesFor(0b110, isAcrossTimelines: false));
        Assert.Equal(0b111UL, topology.Current.WitnessesFor(0b110, isAcrossTimelines: true));
        topology.Fail("primary", FailureKind.Timeout);
        Assert.Equal(0b111UL, topology.Current.WitnessesFor(0b110, isAcrossTimelines: false));
        topology.Fail("primary", FailureKind.Unreachable);
        Assert.Equal(0b110UL, topology.Current.WitnessesFor(0b110, isAcrossTimelines: false));
    }
}
