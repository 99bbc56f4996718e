using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Topology;

/// <summary>The believed timeline of the cluster needs a witness, and is dropped with the last one.</summary>
public class TimelineBeliefTests
{
    /// <summary>Returns a topology with a healthy primary and a standby promoted by mistake.</summary>
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
    public void A_timeline_is_dropped_when_its_last_witness_is_removed()
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
    public void A_host_rebuilt_as_a_standby_is_no_longer_a_witness()
    {
        var topology = WithMistake().Advance(1).Answer("dr", Replica(500));
        Assert.Equal("primary", topology.Current.Primary?.Name);
        Assert.Equal(HostState.Healthy, topology.Answer("primary", Primary(500))["dr"].State);
    }

    [Fact]
    [Trait("Failure", "A1")]
    public void A_host_of_another_cluster_is_no_longer_a_witness()
    {
        var topology = WithMistake().Advance(1).Answer("dr", Primary(400, timeline: 2, cluster: 42));
        Assert.Equal("primary", topology.Current.Primary?.Name);
        Assert.Equal(HostState.ForeignCluster, topology["dr"].State);
    }

    [Fact]
    public void A_silent_host_stays_a_witness_and_the_error_names_it_and_every_remedy()
    {
        var topology = WithMistake().Fail("dr", FailureKind.Unreachable).Advance(3600).Answer("primary", Primary(700));
        Assert.Null(topology.Current.Primary);
        var error = topology["primary"].Error!;
        Assert.Contains("dr was last seen on it and has been silent for 3600 s", error, StringComparison.Ordinal);
        Assert.Contains("Start dr", error, StringComparison.Ordinal);
        Assert.Contains("remove dr from the configuration", error, StringComparison.Ordinal);
        Assert.Contains("replica-router accept primary", error, StringComparison.Ordinal);
        Assert.DoesNotContain("pg_rewind", error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_error_does_not_advise_destroying_the_only_good_server()
    {
        var error = WithMistake()["primary"].Error!;
        Assert.Contains("dr takes writes on it", error, StringComparison.Ordinal);
        Assert.Contains("it may be the only good server", error, StringComparison.Ordinal);
        Assert.DoesNotContain("pg_rewind", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_standby_that_follows_the_new_timeline_keeps_it()
    {
        var topology = WithMistake().Answer("analytics", Replica(410, timeline: 2)).Fail("dr", FailureKind.Unreachable);
        Remove(topology, "dr");
        Assert.Equal((2, null), (topology.Current.Timeline, topology.Current.Primary?.Name));
        Assert.Contains("analytics follows it", topology["primary"].Error, StringComparison.Ordinal);
    }

    // The new primary was killed while the old one was unreachable, and the old one answers again. It gets no writes, whether the router saw the new primary or not.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_old_primary_that_returns_after_the_new_one_was_killed_gets_no_writes(bool hasSeenNewPrimary)
    {
        var topology = new TestTopology("primary", "analytics", "background");
        if (hasSeenNewPrimary) topology.Answer("analytics", Primary(400, timeline: 2));
        // The standby's WAL receiver has ended, so only its replay timeline shows what it followed.
        topology.Advance(1).Fail("analytics", FailureKind.Unreachable).Answer("background", Replica(400, timeline: null) with { ReplayTimeline = 2 }).Answer("primary", Primary(9000));
        Assert.Null(topology.Current.Primary);
        Assert.Equal(HostState.Fenced, topology["primary"].State);
        Assert.Empty(topology.Candidates(DatabaseOperation.Write).Hosts);
    }

    [Fact]
    public void After_a_failover_the_old_primary_is_fenced_until_it_is_in_recovery()
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
    public void A_discovered_standby_on_an_unknown_timeline_fences_no_host_and_serves_nothing(int timeline)
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
    public void A_discovered_standby_counts_once_a_primary_was_seen_on_its_timeline()
    {
        var topology = new TestTopology("primary");
        Add(topology, "pg-2", "pg-3");
        topology.Answer("primary", Primary(500)).Answer("pg-2", Primary(400, timeline: 2)).Answer("pg-3", Replica(400, timeline: 2)).Fail("pg-2", FailureKind.Unreachable);
        Remove(topology, "pg-2");
        Assert.Equal((2, HostState.Fenced), (topology.Current.Timeline, topology["primary"].State));
        Remove(topology, "pg-3");
        Assert.Equal((1, "primary"), (topology.Current.Timeline, topology.Current.Primary?.Name));
    }

    // Timelines of primary, analytics and background, and the hosts whose timeline is unexplained.
    [Theory]
    [Trait("Failure", "C3")]
    [InlineData(1, 1, int.MaxValue, "background")]
    [InlineData(1, 1, 22, "background")]
    [InlineData(1, 1, 21, "")]
    [InlineData(40, 40, 3, "")]
    [InlineData(3, 40, 40, "")]
    [InlineData(1, 100, 200, "analytics background")]
    public void A_single_host_on_an_unexplained_timeline_is_misconfigured_in_any_order(int primary, int analytics, int background, string leaping)
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
    public void A_long_dead_host_does_not_contradict_the_timeline_of_the_others()
    {
        var topology = new TestTopology("primary", "analytics").Answer("analytics", Replica(500)).Answer("primary", Primary(500)).Fail("analytics", FailureKind.Unreachable);
        Assert.Equal(HostState.Misconfigured, topology.Answer("primary", Primary(500, timeline: 30))["primary"].State);
        Assert.Equal("primary", topology.Advance(700).Answer("primary", Primary(500, timeline: 30)).Current.Primary?.Name);
    }

    [Fact]
    public void The_error_of_a_host_on_an_unexplained_timeline_says_what_to_do()
    {
        var topology = new TestTopology("primary", "analytics", "dr").Answer("primary", Primary(500)).Answer("analytics", Replica(500)).Answer("dr", Replica(500, 99));
        Assert.Contains("timeline 99, more than 20 ahead of every other server", topology["dr"].Error, StringComparison.Ordinal);
        Assert.Contains("replica-router accept dr", topology["dr"].Error, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Failure", "A4")]
    public void Positions_from_standbys_without_a_primary_are_dropped_when_it_returns()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));
        // The standby is cut off from a primary that keeps running but is unreachable for the router, too.
        for (var i = 0; i < 10; i++) topology.Advance(1).Fail("primary", FailureKind.Unreachable).Answer("analytics", Replica(110));
        topology.Advance(1).Answer("primary", Primary(5000)).Answer("analytics", Replica(110));
        Assert.True(topology["analytics"].Lag >= TimeSpan.FromSeconds(10), $"{topology["analytics"].Lag}");
        Assert.Equal("primary", topology.Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void A_replica_is_at_most_as_fresh_as_the_primarys_answer()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100));
        var seen = topology.Time.GetTimestamp();
        topology.Advance(2).Answer("analytics", Replica(100));
        Assert.Equal(seen, topology["analytics"].FreshAt);
    }

    [Fact]
    public void A_standby_without_a_WAL_receiver_beyond_the_fork_is_on_the_old_timeline()
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
    public void A_standby_of_a_removed_promoted_server_serves_nothing()
    {
        var topology = new TestTopology("primary", "analytics", "dr").Answer("primary", Primary(500)).Answer("dr", Primary(500, timeline: 2)).Answer("analytics", Replica(500, timeline: 2));
        var orphan = Replica(500, timeline: null) with { ReplayTimeline = 1 };
        Remove(topology, "dr");
        topology.Advance(1).Answer("primary", Primary(500)).Answer("analytics", orphan);
        Assert.Equal(("primary", HostState.OldTimeline), (topology.Current.Primary?.Name, topology["analytics"].State));
    }

    /// <summary>The view of a new process, which knows of no promotion.</summary>
    [Fact]
    [Trait("Failure", "A1")]
    public void A_standby_that_has_replayed_more_than_the_primary_wrote_serves_nothing()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(500));
        var orphan = Replica(501, timeline: null) with { ReplayTimeline = 1 };
        // The primary can have written more since its answer.
        Assert.Equal(HostState.Healthy, topology.Advance(1).Answer("analytics", orphan)["analytics"].State);
        Assert.Equal(HostState.Healthy, topology.Advance(1).Answer("primary", Primary(501))["analytics"].State);
        topology.Advance(1).Answer("analytics", orphan with { ReplayLsn = 502 }).Advance(1).Answer("primary", Primary(501));
        Assert.Equal(HostState.OldTimeline, topology["analytics"].State);
        Assert.Contains("has replayed WAL that the primary has not written", topology["analytics"].Error, StringComparison.Ordinal);
        // The state stays even when the primary has written as much.
        topology.Advance(1).Answer("primary", Primary(600)).Advance(1).Answer("analytics", orphan with { ReplayLsn = 502 });
        Assert.Equal(HostState.OldTimeline, topology["analytics"].State);
        Assert.Equal(HostState.Healthy, topology.Advance(1).Answer("analytics", Replica(600) with { StartedAt = 2 })["analytics"].State);
    }

    [Fact]
    public void Forced_failover_survives_the_next_answer_and_ends_on_time()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));
        topology.Change(current => current.WithForcedToPrimary(topology.Time.GetTimestamp() + TimeSpan.FromSeconds(5).Ticks, topology.Time));
        Assert.Equal("primary", topology.Advance(1).Answer("primary", Primary(100)).Candidates(DatabaseOperation.Read).Hosts);
        Assert.Equal("analytics", topology.Advance(5).Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Candidates(DatabaseOperation.Read).Hosts);
    }

    [Fact]
    public void Only_a_healthy_primary_is_asked_for_the_positions_of_earlier_work()
    {
        var topology = new TestTopology("primary", "analytics", "background").Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));
        Assert.Equal(0b001UL, topology.Current.WitnessesFor(0b110, isAcrossTimelines: false));
        Assert.Equal(0b111UL, topology.Current.WitnessesFor(0b110, isAcrossTimelines: true));
        topology.Fail("primary", FailureKind.Timeout);
        Assert.Equal(0b111UL, topology.Current.WitnessesFor(0b110, isAcrossTimelines: false));
        topology.Fail("primary", FailureKind.Unreachable);
        Assert.Equal(0b110UL, topology.Current.WitnessesFor(0b110, isAcrossTimelines: false));
    }

    [Fact]
    [Trait("Failure", "C3")]
    public void A_second_name_of_a_server_does_not_confirm_its_unexplained_timeline()
    {
        var (topology, leaping) = (new TestTopology("primary", "analytics", "background", "dr"), Primary(900, timeline: 99));
        topology.Answer("primary", Primary(500)).Answer("analytics", Replica(500)).Answer("background", leaping).Answer("dr", leaping);
        Assert.Equal(("primary", HostState.Misconfigured, HostState.Misconfigured), (topology.Current.Primary?.Name, topology["background"].State, topology["dr"].State));
        // A second server does.
        topology.Answer("dr", leaping with { StartedAt = 7, IsInRecovery = true, ReplayLsn = 900 });
        Assert.Equal(("background", HostState.Fenced), (topology.Current.Primary?.Name, topology["primary"].State));
    }

    [Fact]
    [Trait("Failure", "A1")]
    public void A_discovered_standby_does_not_revive_an_abandoned_timeline()
    {
        var topology = new TestTopology("primary");
        Add(topology, "pg-2", "pg-3");
        topology.Answer("primary", Primary(500)).Answer("pg-2", Primary(400, timeline: 2));
        Assert.Equal((2, "pg-2"), (topology.Current.Timeline, topology.Current.Primary?.Name));
        Remove(topology, "pg-2");
        topology.Answer("pg-3", Replica(400, timeline: 2));
        Assert.Equal((1, "primary"), (topology.Current.Timeline, topology.Current.Primary?.Name));
    }
}
