using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Management;

/// <summary>What the health status and the metrics say of hosts.</summary>
public sealed class RouterStatusTests : IDisposable
{
    private readonly TestHosts _hosts = new("primary", "analytics");
    private readonly RouterStatus _status;

    public RouterStatusTests() => _status = new RouterStatus(_hosts.Store, _hosts.Registry, _hosts.Listener, _hosts.Counters, _hosts.Time);

    public void Dispose() => _hosts.Dispose();

    private HostHealth Of(string host) => _status.Health()[host];

    private void Serve() => _hosts.Answer("primary", Primary(500)).Answer("analytics", Replica(500));

    [Theory]
    [InlineData(FailureKind.Timeout, true)]
    [InlineData(FailureKind.Full, true)]
    [InlineData(FailureKind.Unreachable, false)]
    [InlineData(FailureKind.Hung, false)]
    [InlineData(FailureKind.Restarting, false)]
    internal void A_host_is_healthy_as_long_as_it_can_serve(FailureKind failure, bool isHealthy)
    {
        Serve();
        Assert.True(Of("analytics").IsHealthy);
        _hosts.Fail("analytics", failure);
        Assert.Equal((isHealthy, failure.ToString()), (Of("analytics").IsHealthy, Of("analytics").Error));
    }

    [Fact]
    public void A_host_that_accepts_no_logins_is_healthy_and_one_of_another_cluster_is_not()
    {
        Serve();
        _hosts.Store.Update(current => current.WithLogin(1, new HostFailure(FailureKind.Timeout, "no answer"), _hosts.Time.GetTimestamp(), _hosts.Time));
        Assert.Equal((HostState.NoLogins, true), (Of("analytics").State, Of("analytics").IsHealthy));
        _hosts.Advance(1).Answer("analytics", Replica(500, cluster: 42));
        Assert.Equal((HostState.ForeignCluster, false), (Of("analytics").State, Of("analytics").IsHealthy));
    }

    [Fact]
    public void A_returning_replica_and_a_read_only_primary_are_not_healthy()
    {
        Serve();
        _hosts.Fail("analytics", FailureKind.Unreachable).Advance(1).Answer("analytics", Replica(500)).Answer("primary", Primary(500) with { ReadOnlyBy = "user" });
        Assert.Equal((HostState.Recovering, false), (Of("analytics").State, Of("analytics").IsHealthy));
        Assert.Equal((HostState.ReadOnly, false), (Of("primary").State, Of("primary").IsHealthy));
    }

    [Fact]
    public void A_lagging_replica_is_not_healthy_and_shows_its_lag()
    {
        Serve();
        for (var second = 1; second <= 6; second++) _hosts.Advance(1).Answer("primary", Primary(500 + (ulong)second));
        _hosts.Answer("analytics", Replica(500));
        var health = Of("analytics");
        Assert.Equal((HostState.Lagging, false, TimeSpan.FromSeconds(6), 6L), (health.State, health.IsHealthy, health.ReplicationLag, health.LagBytes));
    }

    [Fact]
    public void A_host_that_has_not_answered_lately_shows_only_what_stays_true()
    {
        Serve();
        Assert.Equal((TimeSpan.Zero, 0L, TimeSpan.Zero), (Of("analytics").ReplicationLag, Of("analytics").LagBytes, Of("analytics").Age));
        _hosts.Advance(6);
        var health = Of("analytics");
        Assert.Equal((HostState.Unknown, false, HostRole.Replica), (health.State, health.IsHealthy, health.Role));
        Assert.Equal((null, null, "has not answered a probe lately"), (health.ReplicationLag, health.LagBytes, health.Error));
        Assert.Equal((TimeSpan.FromSeconds(6), 1), (health.Age, health.Timeline));
    }

    [Fact]
    public void A_host_that_is_down_stays_down_when_its_last_answer_has_expired()
    {
        Serve();
        _hosts.Advance(1).Fail("analytics", FailureKind.Unreachable).Advance(60);
        var health = Of("analytics");
        Assert.Equal((HostState.Down, "Unreachable", TimeSpan.FromSeconds(61)), (health.State, health.Error, health.Age));
    }

    [Fact]
    public void A_host_that_was_never_probed_says_so()
    {
        _hosts.Answer("analytics", Replica(500));
        var health = Of("primary");
        Assert.Equal((HostState.Unknown, HostRole.Unknown, "not probed yet"), (health.State, health.Role, health.Error));
        Assert.Equal((false, null, null), (health.IsHealthy, health.Age, health.Timeline));
    }

    [Fact]
    public void A_primary_that_is_late_is_still_shown_as_the_primary_and_a_lost_one_is_not()
    {
        Serve();
        _hosts.Advance(1).Fail("primary", FailureKind.Timeout);
        Assert.Equal(HostRole.Primary, Of("primary").Role);
        _hosts.Fail("primary", FailureKind.Unreachable).Fail("analytics", FailureKind.Unreachable);
        Assert.Equal((HostRole.Unknown, HostRole.Replica), (Of("primary").Role, Of("analytics").Role));
    }

    [Fact]
    public void A_fenced_primary_is_shown_as_a_primary_as_long_as_it_answers()
    {
        Serve();
        _hosts.Advance(1).Answer("analytics", Primary(500, timeline: 2) with { StartedAt = 9 }).Answer("primary", Primary(600));
        Assert.Equal((HostState.Fenced, HostRole.Primary), (Of("primary").State, Of("primary").Role));
        _hosts.Advance(1).Fail("primary", FailureKind.Unreachable);
        Assert.Equal((HostRole.Unknown, HostRole.Primary), (Of("primary").Role, Of("analytics").Role));
    }

    [Fact]
    public void Commands_are_counted_by_route_and_host_and_those_of_removed_hosts_by_route()
    {
        var (write, read) = ((int)DatabaseOperation.Write, (int)DatabaseOperation.Read);
        foreach (var (host, route) in new[] { ("primary", write), ("primary", write), ("primary", read), ("analytics", read) }) _hosts[host].All[route].CountCommand();
        _hosts.Counters.Forget("gone", _hosts.Configuration.Routes.Select(route => route.Index == read ? 5L : 0), isNameFree: true);
        var metrics = _status.Metrics();
        Assert.Equal((2L, 7L, 0L), (metrics.QueriesRouted[DatabaseOperation.Write], metrics.QueriesRouted[DatabaseOperation.Read], metrics.QueriesRouted[DatabaseOperation.Analytics]));
        Assert.Equal(["analytics", "primary"], metrics.QueriesByHost.Keys.Order());
        Assert.Equal(1, Assert.Single(metrics.QueriesByHost["analytics"]).Value);
        Assert.Equal((2L, 1L), (metrics.QueriesByHost["primary"]["write"], metrics.QueriesByHost["primary"]["read"]));
    }

    [Fact]
    public void Only_hosts_that_ran_commands_have_an_average_latency()
    {
        _hosts["analytics"].Load.RecordCommand((int)DatabaseOperation.Read, 4);
        Assert.Equal(KeyValuePair.Create("analytics", TimeSpan.FromMilliseconds(4)), Assert.Single(_status.Metrics().AverageLatency));
        Assert.Null(_status.Metrics().LastHealthCheck);
    }
}
