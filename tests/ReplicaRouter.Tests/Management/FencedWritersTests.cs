using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Management;

/// <summary>What becomes of connections to a primary that is fenced.</summary>
public sealed class FencedWritersTests : IAsyncDisposable
{
    private readonly TestHosts _hosts = new("primary", "analytics");
    private readonly FencedWriters _writers;

    public FencedWritersTests()
    {
        var cutter = new ConnectionCutter(_hosts.Configuration, _hosts.Listener, _hosts.Time, _hosts.Log);
        _writers = new FencedWriters(_hosts.Store, _hosts.Registry, cutter, _hosts.Time, _hosts.Log);
        _hosts.Store.Changed += _writers.OnChanged;
        _hosts.Answer("primary", Primary(500)).Answer("analytics", Replica(500));
    }

    public async ValueTask DisposeAsync()
    {
        await _writers.DisposeAsync();
        _hosts.Dispose();
    }

    private HostPool PoolOf(DatabaseOperation operation) => _hosts["primary"].All[(int)operation];

    private void Promote() => _hosts.Advance(1).Answer("analytics", Primary(500, timeline: 2) with { StartedAt = 9 });

    [Fact]
    public async Task Idle_connections_of_writable_routes_are_closed_again_and_again_while_the_host_is_fenced()
    {
        var (write, read) = (PoolOf(DatabaseOperation.Write), PoolOf(DatabaseOperation.Read));
        await TestHosts.ConnectAsync(write);
        await TestHosts.ConnectAsync(read);
        Promote();
        Assert.Equal(HostState.Fenced, _hosts.Snapshot("primary").State);
        await _hosts.UntilAsync(() => !TestHosts.HasIdle(write));
        // A caller kept the data source and opened another one.
        await TestHosts.ConnectAsync(write);
        await _hosts.UntilAsync(() => !TestHosts.HasIdle(write));
        Assert.True(TestHosts.HasIdle(read));
    }

    [Fact]
    public async Task The_connections_of_a_host_that_is_fenced_no_longer_are_left_alone()
    {
        var write = PoolOf(DatabaseOperation.Write);
        await TestHosts.ConnectAsync(write);
        Promote();
        await _hosts.UntilAsync(() => !TestHosts.HasIdle(write));
        _hosts.Answer("primary", Replica(500, timeline: 2) with { StartedAt = 3 });
        Assert.NotEqual(HostState.Fenced, _hosts.Snapshot("primary").State);
        await TestHosts.ConnectAsync(write);
        for (var second = 0; second < 5; second++) _hosts.Advance(1);
        Assert.True(TestHosts.HasIdle(write));
        // It is fenced once more.
        _hosts.Answer("primary", Primary(900) with { StartedAt = 4 });
        Assert.Equal(HostState.Fenced, _hosts.Snapshot("primary").State);
        await _hosts.UntilAsync(() => !TestHosts.HasIdle(write));
    }

    [Fact]
    public async Task The_connections_of_the_primary_and_of_replicas_are_left_alone()
    {
        var write = PoolOf(DatabaseOperation.Write);
        await TestHosts.ConnectAsync(write);
        for (var second = 0; second < 5; second++) _hosts.Advance(1).Answer("primary", Primary(500)).Answer("analytics", Replica(500));
        Assert.True(TestHosts.HasIdle(write));
    }
}
