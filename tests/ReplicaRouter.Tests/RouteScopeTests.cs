using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests;

public sealed class RouteScopeTests : IAsyncLifetime
{
    private readonly ClusterRouter _router = NewRouter();

    private static ClusterRouter NewRouter() => new(
        RouterConfigurationBuilder.Build(OptionsFor("primary", "analytics")),
        createProbe: host => FakeProbe.Of((host.IsConfiguredPrimary ? Primary(100) : Replica(100)) with { StartedAt = host.Index }));

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _router.DisposeAsync();

    [Fact]
    public void The_innermost_scope_counts_until_it_is_disposed()
    {
        Assert.Null(_router.Engine.AmbientRoute);
        using (_router.BeginRoute(DatabaseOperation.Analytics))
        {
            using (_router.BeginRoute("background")) Assert.Equal(DatabaseOperation.Background, _router.Engine.AmbientRoute);
            Assert.Equal(DatabaseOperation.Analytics, _router.Engine.AmbientRoute);
        }

        Assert.Null(_router.Engine.AmbientRoute);
    }

    [Fact]
    public void Scopes_can_end_in_any_order()
    {
        var outer = _router.BeginRoute(DatabaseOperation.Analytics);
        var inner = _router.BeginRoute(DatabaseOperation.Background);
        outer.Dispose();
        Assert.Equal(DatabaseOperation.Background, _router.Engine.AmbientRoute);
        inner.Dispose();
        Assert.Null(_router.Engine.AmbientRoute);
    }

    [Fact]
    public async Task A_scope_flows_to_the_tasks_started_in_it_but_not_to_the_code_around_it()
    {
        async Task<DatabaseRoute?> StartedAsync()
        {
            await Task.Yield();
            using (_router.BeginRoute(DatabaseOperation.Write)) await Task.Yield();
            return _router.Engine.AmbientRoute;
        }

        using var scope = _router.BeginRoute(DatabaseOperation.Analytics);
        Assert.Equal(DatabaseOperation.Analytics, await Task.Run(StartedAsync, TestContext.Current.CancellationToken));
        Assert.Equal(DatabaseOperation.Analytics, _router.Engine.AmbientRoute);
    }

    [Fact]
    public async Task A_scope_applies_to_its_own_router_only()
    {
        await using var other = NewRouter();
        using (_router.BeginRoute(DatabaseOperation.Analytics))
        using (other.BeginRoute(DatabaseOperation.Background)) Assert.Equal(DatabaseOperation.Analytics, _router.Engine.AmbientRoute);
    }

    [Fact]
    public void An_unknown_route_is_refused_at_once() => Assert.Throws<ArgumentException>(() => _router.BeginRoute("nowhere"));
}
