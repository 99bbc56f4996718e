using Microsoft.Extensions.Logging.Abstractions;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Management;

/// <summary>The effects of a change of snapshot: cancellations, counters, log events.</summary>
public sealed class TopologyWatcherTests : IDisposable
{
    private readonly TestTopology _topology = new("primary", "analytics", "background");
    private readonly CommandListener _listener = new();
    private readonly RecordingLogger _log = new();
    private readonly RoutingCounters _counters;
    private readonly HostRegistry _registry;
    private readonly TopologyWatcher _watcher;

    public TopologyWatcherTests()
    {
        var configuration = _topology.Configuration;
        _counters = new RoutingCounters(configuration.Routes, configuration.Sources);
        _registry = new HostRegistry(configuration, new TopologyStore(_topology.Current, _topology.Time), _listener, _ => FakeProbe.Of(Primary(1)), new DataSourceFactory(configuration, NullLoggerFactory.Instance), _topology.Time, new Random(1), _log);
        foreach (var host in configuration.Hosts) _registry.Add(host);
        _watcher = new TopologyWatcher(_registry, _counters, _log);
        Then(topology => topology.Answer("primary", Primary(500)).Answer("analytics", Replica(500)).Answer("background", Replica(500)));
    }

    public void Dispose()
    {
        _listener.Dispose();
        _log.Dispose();
    }

    /// <summary>Returns the tokens of a host that a change cancels.</summary>
    private string Raised(string host, Action<TestTopology> change)
    {
        var pools = _registry.PoolsOf(_topology[host].Configuration);
        var (lost, refused, superseded) = (pools.Lost.Token, pools.LoginsRefused.Token, pools.Superseded.Token);
        Then(change);
        // The cancellation flag is set at once, even if callbacks run later.
        return string.Join(' ', new[] { (lost, "lost"), (refused, "refused"), (superseded, "superseded") }.Where(alarm => alarm.Item1.IsCancellationRequested).Select(alarm => alarm.Item2));
    }

    private void Then(Action<TestTopology> change)
    {
        var before = _topology.Current;
        change(_topology);
        _watcher.OnChanged(before, _topology.Current);
    }

    [Theory]
    [InlineData(FailureKind.Unreachable, "lost refused")]
    [InlineData(FailureKind.Hung, "lost refused")]
    [InlineData(FailureKind.Restarting, "refused")]
    [InlineData(FailureKind.Misconfigured, "refused")]
    [InlineData(FailureKind.Full, "refused")]
    [InlineData(FailureKind.Timeout, "")]
    internal void Work_and_logins_are_abandoned_exactly_when_waiting_is_pointless(FailureKind failure, string raised) =>
        Assert.Equal(raised, Raised("analytics", topology => topology.Fail("analytics", failure)));

    [Fact]
    public void A_failure_reported_by_a_caller_abandons_logins_but_no_work() =>
        Assert.Equal("refused", Raised("analytics", topology => topology.Change(current =>
            current.With(new HostObservation(1, topology.Time.GetTimestamp(), topology.Time.GetTimestamp(), null, new HostFailure(FailureKind.Unreachable, "")) { IsFromCaller = true }, topology.Time))));

    [Fact]
    public void An_answer_that_changes_no_state_cancels_nothing()
    {
        Assert.Equal("", Raised("analytics", topology => topology.Advance(1).Answer("analytics", Replica(600))));
        Then(topology => topology.Fail("analytics", FailureKind.Hung));
        Assert.Equal("", Raised("analytics", topology => topology.Fail("analytics", FailureKind.Hung)));
        Assert.Equal("", Raised("analytics", topology => topology.Advance(1).Answer("analytics", Replica(600))));
    }

    /// <summary>Idle connections lead to the former server, so they are closed exactly when it is lost, replaced or changes its role.</summary>
    [Theory]
    [InlineData("it answers as before", false)]
    [InlineData("one probe is late", false)]
    [InlineData("it is down", true)]
    [InlineData("it was restarted", true)]
    [InlineData("it was promoted", true)]
    public async Task Idle_connections_are_dropped_exactly_when_the_server_or_its_role_changes(string change, bool isDropped)
    {
        var pool = _registry.PoolsOf(_topology["analytics"].Configuration).All[0];
        var lease = pool.TryTake()!.Value;
        await lease.Source.CountLoginAsync(Task.CompletedTask, isExpected: true);
        lease.Source.Throttle.Leave();

        Then(topology => _ = change switch
        {
            "it answers as before" => topology.Advance(1).Answer("analytics", Replica(600)),
            "one probe is late" => topology.Advance(1).Fail("analytics", FailureKind.Timeout),
            "it is down" => topology.Fail("analytics", FailureKind.Unreachable),
            "it was restarted" => topology.Answer("analytics", Replica(600) with { StartedAt = 2 }),
            _ => topology.Answer("analytics", Primary(600, timeline: 2) with { StartedAt = 1 }),
        });

        // Without an idle connection the next caller must log in.
        Assert.Equal(isDropped, pool.TryTake()!.Value.IsLogin);
    }

    [Fact]
    public void A_promotion_counts_once_and_abandons_writes_on_the_former_primary_once()
    {
        Then(topology => topology.Fail("primary", FailureKind.Unreachable));
        Assert.Equal("superseded", Raised("primary", topology => topology.Answer("analytics", Primary(500, timeline: 2) with { StartedAt = 9 })));
        Assert.Equal("", Raised("primary", topology => topology.Advance(1).Answer("analytics", Primary(500, timeline: 2) with { StartedAt = 9 })));
        Assert.Equal(1, _counters[RouterEvent.Failover]);
        Assert.Equal("Host analytics is now the primary, on timeline 2; the previous primary was primary", Assert.Single(_log[300]));
        Assert.Equal("No host can accept writes; the last primary was primary", Assert.Single(_log[301]));
    }

    [Fact]
    public void A_primary_that_returns_is_not_a_failover()
    {
        Then(topology => topology.Fail("primary", FailureKind.Unreachable));
        Then(topology => topology.Answer("primary", Primary(500)));
        Assert.Equal(0, _counters[RouterEvent.Failover]);
    }

    [Fact]
    public void Another_name_of_the_same_server_is_not_a_failover()
    {
        Then(topology => topology.Answer("analytics", Primary(500)));
        Assert.Equal("", Raised("primary", topology => topology.Fail("primary", FailureKind.Unreachable)).Replace("lost refused", "", StringComparison.Ordinal));
        Assert.Equal(("analytics", 0L), (_topology.Current.Primary?.Name, _counters[RouterEvent.Failover]));
    }

    [Fact]
    public void An_abandoned_timeline_and_identity_are_logged()
    {
        Then(topology => topology.Answer("analytics", Primary(500, timeline: 2)));
        Then(topology => topology.Answer("analytics", Replica(500)));
        Assert.Equal("Timeline 2 is abandoned, because no trusted host vouches for it any more. The cluster is on timeline 1", Assert.Single(_log[302]));
        Then(topology => topology.Answer("primary", Primary(90, cluster: 42)).Answer("analytics", Replica(90, cluster: 42)).Answer("background", Replica(90, cluster: 42)));
        Assert.Contains($"{Cluster} is abandoned for 42", Assert.Single(_log[303]), StringComparison.Ordinal);
        Assert.Single(_log[302]);
    }

    [Fact]
    public void A_host_is_lost_when_it_hangs_or_a_probe_finds_it_down()
    {
        Assert.False(_topology["analytics"].IsLost);
        Assert.True(_topology.Fail("analytics", FailureKind.Unreachable)["analytics"].IsLost);
        Assert.True(_topology.Fail("background", FailureKind.Hung)["background"].IsLost);
        Assert.False(_topology.Answer("background", Replica(500))["background"].IsLost);
    }

    [Fact]
    public void A_host_without_a_free_slot_serves_only_if_it_has_ever_answered()
    {
        Assert.False(new TestTopology("primary").Fail("primary", FailureKind.Full)["primary"].IsServing);
        Assert.True(_topology.Fail("analytics", FailureKind.Full)["analytics"].IsServing);
    }

    [Fact]
    public void A_host_that_returns_starts_without_its_former_latencies()
    {
        var load = _registry.PoolsOf(_topology["analytics"].Configuration).Load;
        load.RecordCommand(0, 40);
        Then(topology => topology.Advance(1).Answer("analytics", Replica(500)));
        Then(topology => topology.Fail("analytics", FailureKind.Unreachable));
        Assert.Equal(40, load.Latency.Value);
        Then(topology => topology.Advance(1).Answer("analytics", Replica(500)));
        Then(topology => topology.Advance(1).Answer("analytics", Replica(500)));
        Assert.Equal((HostState.Healthy, 0.0), (_topology["analytics"].State, load.Latency.Value));
    }

    [Theory]
    [InlineData(1, 9, "superseded")]
    [InlineData(1, 0, "")]
    [InlineData(2, 9, "")]
    public void Work_in_progress_is_checked_when_a_new_login_reaches_the_same_server(long startedAt, long connectedAt, string raised) => Assert.Equal(raised, Raised(
        "analytics", topology => topology.Advance(1).Answer("analytics", Replica(500) with { StartedAt = startedAt, ConnectedAt = connectedAt })));

    [Fact]
    public void Only_read_only_routes_count_against_the_max_connections_of_a_replica()
    {
        // All routes of two processes can open 180 connections to one host.
        Then(topology => topology.Answer("analytics", Replica(500) with { Probers = 2, MaxConnections = 179 }));
        Assert.Empty(_log[318]);
        Then(topology => topology.Answer("primary", Primary(500) with { Probers = 2, MaxConnections = 179 }));
        Assert.Contains("host primary", Assert.Single(_log[318]), StringComparison.Ordinal);
        Then(topology => topology.Answer("primary", Primary(500) with { Probers = 3, MaxConnections = 179 }));
        Assert.Single(_log[318]);
    }

    [Fact]
    public void The_types_that_an_answer_shows_are_known_until_another_shows_others()
    {
        var pools = _registry.PoolsOf(_topology["analytics"].Configuration);
        Then(topology => topology.Advance(1).Answer("analytics", Replica(500) with { Types = 7 }));
        Then(topology => topology.Advance(1).Answer("analytics", Replica(500)));
        Assert.Equal(7, pools.Types);
    }

    /// <summary>The numbers of the log events are documented, for alerts.</summary>
    [Theory]
    [InlineData(FailureKind.Timeout, 201)]
    [InlineData(FailureKind.Unreachable, 210)]
    [InlineData(FailureKind.Hung, 211)]
    [InlineData(FailureKind.Restarting, 212)]
    [InlineData(FailureKind.Full, 215)]
    [InlineData(FailureKind.Misconfigured, 220)]
    internal void Each_failure_has_its_log_event_and_is_logged_and_counted_once(FailureKind failure, int id)
    {
        Then(topology => topology.Fail("analytics", failure));
        var state = _topology["analytics"].State;
        if (state != HostState.Suspect) Then(topology => topology.Advance(1).Fail("analytics", failure));
        Assert.StartsWith("Host analytics", Assert.Single(_log[id]), StringComparison.Ordinal);
        Assert.Equal(1, Assert.Single(_counters.Transitions(), transition => transition.Host == "analytics" && transition.State == state).Count);
    }

    [Fact]
    public void A_promotion_leaves_a_host_alone_that_has_the_index_of_the_former_primary()
    {
        Then(topology => topology.Fail("primary", FailureKind.Unreachable));
        var next = _topology["primary"].Configuration with { Name = "dr", AddedAt = 5, Connection = new Npgsql.NpgsqlConnectionStringBuilder { Host = "10.0.0.9" } };
        _registry.Add(next);
        Then(topology => topology.Change(current => current.WithHosts([next, .. current.Hosts.Skip(1).Select(host => host.Configuration)], topology.Time)));
        var superseded = _registry.PoolsOf(next).Superseded.Token;
        Then(topology => topology.Answer("analytics", Primary(500, timeline: 2) with { StartedAt = 9 }));
        Assert.Equal((1L, false), (_counters[RouterEvent.Failover], superseded.IsCancellationRequested));
    }
}
