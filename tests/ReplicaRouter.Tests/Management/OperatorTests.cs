using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Management;

/// <summary>An operator's orders, and the wait until the router is ready.</summary>
public sealed class OperatorTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(3);

    private readonly TestHosts _hosts = new(options => options.DrainTimeout = TimeSpan.FromSeconds(2), "primary", "analytics");
    private readonly Operator _operator;

    public OperatorTests() => _operator = new Operator(_hosts.Configuration, _hosts.Store, _hosts.Registry, _hosts.Listener, _hosts.Counters, _hosts.Time, _hosts.Log);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _hosts.Dispose();

    private void Serve() => _hosts.Answer("primary", Primary(500)).Answer("analytics", Replica(500));

    /// <summary>Returns the error of a wait for readiness that may not wait; null if the router is ready.</summary>
    private async Task<Exception?> ReadinessAsync() => await Record.ExceptionAsync(() => _operator.WaitUntilReadyAsync(TimeSpan.Zero, Ct));

    [Fact]
    public async Task The_router_is_ready_once_all_hosts_were_probed_and_one_serves()
    {
        Assert.IsType<NoEligibleHostException>(await ReadinessAsync());
        _hosts.Answer("primary", Primary(500));
        Assert.IsType<NoEligibleHostException>(await ReadinessAsync());
        _hosts.Fail("analytics", FailureKind.Unreachable);
        Assert.Null(await ReadinessAsync());
        _hosts.Advance(1).Fail("primary", FailureKind.Unreachable);
        Assert.IsType<NoEligibleHostException>(await ReadinessAsync());
    }

    [Fact]
    public async Task A_misconfigured_host_is_reported_once_all_hosts_were_probed()
    {
        _hosts.Fail("primary", FailureKind.Misconfigured);
        Assert.IsType<NoEligibleHostException>(await ReadinessAsync());
        _hosts.Answer("analytics", Replica(500));
        var error = Assert.IsType<DatabaseRouterConfigurationException>(await ReadinessAsync());
        Assert.StartsWith("Host 'primary'", Assert.Single(error.Faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wait_for_readiness_ends_at_its_limit_however_often_hosts_are_observed()
    {
        var start = _hosts.Time.GetTimestamp();
        var ready = _operator.WaitUntilReadyAsync(s_limit, Ct);
        for (var step = 0; step < 1000 && !ready.IsCompleted; step++)
        {
            // Each observation wakes the wait, which goes on for the rest of its time.
            _hosts.Advance(0.5).Fail("primary", FailureKind.Unreachable);
            await Task.Delay(1, Ct);
        }

        Assert.True(ready.IsCompleted);
        Assert.True(_hosts.Time.GetElapsedTime(start) >= s_limit);
        var error = await Assert.ThrowsAsync<NoEligibleHostException>(() => ready);
        Assert.Equal(["primary", "analytics"], error.Rejections.Select(rejection => rejection.Host));
    }

    [Fact]
    public async Task A_cancelled_wait_for_readiness_says_why_no_host_serves()
    {
        using var cancel = new CancellationTokenSource();
        var ready = _operator.WaitUntilReadyAsync(Timeout.InfiniteTimeSpan, cancel.Token);
        Assert.False(ready.IsCompleted);
        await cancel.CancelAsync();
        var error = await Assert.ThrowsAsync<OperationCanceledException>(() => ready);
        Assert.Equal(2, Assert.IsType<NoEligibleHostException>(error.InnerException).Rejections.Count);
    }

    [Fact]
    public void Forcing_reads_to_the_primary_is_counted_when_it_begins_and_not_when_it_is_prolonged()
    {
        Serve();
        _operator.ForceToPrimary(TimeSpan.FromSeconds(5));
        Assert.Equal(1, _hosts.Counters[RouterEvent.ForcedToPrimary]);
        _hosts.Advance(4);
        _operator.ForceToPrimary(TimeSpan.FromSeconds(5));
        Assert.Equal(1, _hosts.Counters[RouterEvent.ForcedToPrimary]);
        Assert.Equal(TimeSpan.FromSeconds(5), _hosts.Time.GetElapsedTime(_hosts.Time.GetTimestamp(), _hosts.Store.Current.ForcedToPrimaryUntil));
        _hosts.Advance(6);
        _operator.ForceToPrimary(TimeSpan.FromSeconds(5));
        Assert.Equal(2, _hosts.Counters[RouterEvent.ForcedToPrimary]);
    }

    [Theory]
    [InlineData("lost")]
    [InlineData("drained")]
    public void Reads_are_not_forced_to_a_primary_that_serves_none(string primary)
    {
        Serve();
        if (primary == "lost") _hosts.Advance(1).Fail("primary", FailureKind.Unreachable);
        else _hosts.Store.Update(current => current.WithDrained(0, true, _hosts.Time));
        Assert.Throws<NoEligibleHostException>(() => _operator.ForceToPrimary(TimeSpan.FromSeconds(5)));
        Assert.Equal((0L, 0L), (_hosts.Store.Current.ForcedToPrimaryUntil, _hosts.Counters[RouterEvent.ForcedToPrimary]));
        Assert.Empty(_hosts.Log[400]);
    }

    [Fact]
    public async Task A_drain_waits_for_connections_in_use_and_then_closes_the_idle_ones()
    {
        Serve();
        var (idle, used) = (_hosts["analytics"].All[0], _hosts["analytics"].All[1]);
        await TestHosts.ConnectAsync(idle);
        used.Source.Busy = 1;
        var drain = _operator.DrainAsync("Analytics", Ct);
        Assert.True(_hosts.Snapshot("analytics").IsDrained);
        _hosts.Advance(0.1);
        Assert.False(drain.IsCompleted);
        Assert.True(TestHosts.HasIdle(idle));
        used.Source.Busy = 0;
        await _hosts.UntilAsync(() => drain.IsCompleted);
        await drain;
        Assert.False(TestHosts.HasIdle(idle));
        Assert.Empty(_hosts.Log[403]);
    }

    [Fact]
    public async Task A_drain_waits_until_the_drain_time_out_at_most()
    {
        Serve();
        var (idle, used) = (_hosts["analytics"].All[0], _hosts["analytics"].All[1]);
        await TestHosts.ConnectAsync(idle);
        used.Source.Busy = 2;
        var start = _hosts.Time.GetTimestamp();
        var drain = _operator.DrainAsync("analytics", Ct);
        await _hosts.UntilAsync(() => drain.IsCompleted);
        await drain;
        Assert.True(_hosts.Time.GetElapsedTime(start) >= _hosts.Configuration.DrainTimeout);
        Assert.Equal("Host analytics still has 2 connections in use after 00:00:02", Assert.Single(_hosts.Log[403]));
        Assert.False(TestHosts.HasIdle(idle));
    }

    [Theory]
    [InlineData("restored")]
    [InlineData("removed")]
    public async Task The_drain_of_a_host_that_is_restored_or_removed_ends_and_keeps_its_connections(string change)
    {
        Serve();
        var (idle, used) = (_hosts["analytics"].All[0], _hosts["analytics"].All[1]);
        await TestHosts.ConnectAsync(idle);
        used.Source.Busy = 1;
        var drain = _operator.DrainAsync("analytics", Ct);
        Assert.False(drain.IsCompleted);
        if (change == "restored") _operator.Restore("analytics");
        else _hosts.Store.Update(current => current.WithHosts([current.Hosts[0].Configuration], _hosts.Time));
        await _hosts.UntilAsync(() => drain.IsCompleted);
        await drain;
        Assert.True(TestHosts.HasIdle(idle));
        Assert.Empty(_hosts.Log[403]);
    }

    [Fact]
    public void A_host_that_does_not_answer_cannot_be_accepted()
    {
        Serve();
        var before = _hosts.Advance(1).Fail("analytics", FailureKind.Unreachable).Store.Current;
        Assert.Throws<InvalidOperationException>(() => _operator.PreviewAccept("analytics"));
        Assert.Throws<InvalidOperationException>(() => _operator.Accept("analytics"));
        Assert.Same(before, _hosts.Store.Current);
        Assert.Empty(_hosts.Log[404]);
    }

    [Fact]
    public void An_acceptance_does_what_its_preview_says()
    {
        _hosts.Answer("primary", Primary(500)).Answer("analytics", Primary(400, timeline: 2));
        var preview = _operator.PreviewAccept("Primary");
        Assert.Equal("analytics", _hosts.Store.Current.Primary?.Name);
        var accepted = _operator.Accept("Primary");
        Assert.Equal(preview.GivenUp, accepted.GivenUp);
        Assert.Equal(("primary", HostState.Fenced), (_hosts.Store.Current.Primary?.Name, _hosts.Snapshot("analytics").State));
        Assert.Contains("Abandoned: analytics is on timeline 2", Assert.Single(_hosts.Log[404]), StringComparison.Ordinal);
    }
}
