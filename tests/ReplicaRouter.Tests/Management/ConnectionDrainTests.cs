namespace ReplicaRouter.Tests.Management;

/// <summary>How long the connections of a removed host, or with former settings, can be used.</summary>
public sealed class ConnectionDrainTests : IDisposable
{
    private readonly TestHosts _hosts = new(options => options.DrainTimeout = TimeSpan.FromSeconds(30), "primary", "analytics");
    private readonly ConnectionDrain _drain;
    private readonly HostPools _pools;

    public ConnectionDrainTests()
    {
        _drain = new ConnectionDrain(_hosts.Configuration, new ConnectionCutter(_hosts.Configuration, _hosts.Listener, _hosts.Time, _hosts.Log), _hosts.Time, _hosts.Log);
        _pools = _hosts["analytics"];
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _hosts.Dispose();

    /// <summary>Whether a data source is closed. An open one is used by this question.</summary>
    private bool IsClosed(int route) => Record.Exception(() => _pools.All[route].Source.Value) is ObjectDisposedException;

    [Fact]
    public async Task Connections_that_are_returned_are_closed_at_once_and_the_pools_at_the_drain_time_out()
    {
        var pool = _pools.All[0];
        await TestHosts.ConnectAsync(pool);
        var start = _hosts.Time.GetTimestamp();
        var drain = _drain.RunAsync("analytics", [.. _pools.Sources], Ct);
        Assert.False(TestHosts.HasIdle(pool));
        // A caller kept the data source and opened a connection.
        await TestHosts.ConnectAsync(pool);
        await _hosts.UntilAsync(() => !TestHosts.HasIdle(pool));
        Assert.False(drain.IsCompleted);
        Assert.False(IsClosed(route: 1));
        await _hosts.UntilAsync(() => drain.IsCompleted);
        await drain;
        Assert.True(_hosts.Time.GetElapsedTime(start) >= _hosts.Configuration.DrainTimeout);
        Assert.True(IsClosed(route: 2));
        Assert.Empty(_hosts.Log[315]);
    }

    [Fact]
    public async Task Connections_still_in_use_at_the_drain_time_out_are_reported()
    {
        _pools.All[1].Source.Busy = 3;
        var drain = _drain.RunAsync("analytics", [.. _pools.Sources], Ct);
        await _hosts.UntilAsync(() => drain.IsCompleted);
        await drain;
        Assert.Equal("3 former connections to host analytics were still in use after 00:00:30; 0 were cut", Assert.Single(_hosts.Log[315]));
    }

    [Fact]
    public async Task A_stopped_drain_closes_the_pools_at_once_and_reports_nothing()
    {
        using var stop = new CancellationTokenSource();
        _pools.All[1].Source.Busy = 3;
        var drain = _drain.RunAsync("analytics", [.. _pools.Sources], stop.Token);
        Assert.False(drain.IsCompleted);
        await stop.CancelAsync();
        await drain.WaitAsync(TimeSpan.FromSeconds(30), Ct);
        Assert.True(IsClosed(route: 2));
        Assert.Empty(_hosts.Log[315]);
    }
}
