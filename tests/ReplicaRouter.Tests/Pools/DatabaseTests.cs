using Microsoft.Extensions.Time.Testing;
using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Pools;

/// <summary>Routers of additional databases: what they share, and how unused ones lose their pools.</summary>
public sealed class DatabaseTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly ClusterRouter _router;

    public DatabaseTests() => _router = new ClusterRouter(
        RouterConfigurationBuilder.Build(OptionsFor("primary", "analytics")), timeProvider: _time, createProbe: host => FakeProbe.Of(host.IsConfiguredPrimary ? Primary(100) : Replica(100)));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var ready = _router.WaitUntilReadyAsync(Ct);
        while (!ready.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Delay(1, Ct);
        }

        await ready;
    }

    public ValueTask DisposeAsync() => _router.DisposeAsync();

    private static string? DatabaseOf(NpgsqlDataSource source) => new NpgsqlConnectionStringBuilder(source.ConnectionString).Database;

    private int Pools => _router.Pools.Sum(host => host.Everything.Count());

    [Fact]
    public void Each_database_has_one_router_and_the_configured_one_is_the_router_itself()
    {
        var tenant = _router.ForDatabase("tenant");
        Assert.Same(tenant, _router.ForDatabase("tenant"));
        Assert.Same(tenant, _router.ForDatabase("other").ForDatabase("tenant"));
        Assert.NotSame(tenant, _router.ForDatabase("Tenant"));
        Assert.Same(_router, _router.ForDatabase(DatabaseOf(_router.GetClient(DatabaseOperation.Write))!));
        Assert.Same(_router, tenant.ForDatabase(DatabaseOf(_router.GetClient(DatabaseOperation.Write))!));
    }

    [Fact]
    public void A_database_router_connects_to_the_host_that_the_clusters_router_chooses()
    {
        var client = _router.ForDatabase("tenant").GetClient(DatabaseOperation.Write);
        Assert.Equal("tenant", DatabaseOf(client));
        Assert.Equal(new NpgsqlConnectionStringBuilder(_router.GetClient(DatabaseOperation.Write).ConnectionString).Host, new NpgsqlConnectionStringBuilder(client.ConnectionString).Host);
        Assert.Same(client, _router.ForDatabase("tenant").GetClient(DatabaseOperation.Write));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    [InlineData("ääääääääääääääääääääääääääääääää")]
    public void An_invalid_database_name_is_rejected(string name) => Assert.Throws<ArgumentException>(() => _router.ForDatabase(name));

    [Fact]
    public async Task A_database_unused_for_a_minute_loses_its_pools_and_gets_new_ones_on_next_use()
    {
        var before = Pools;
        var tenant = _router.ForDatabase("tenant");
        var first = tenant.GetClient(DatabaseOperation.Write);
        Assert.Equal(before + 1, Pools);
        for (var second = 0; second < 50; second++) await AdvanceAsync();
        Assert.Same(first, tenant.GetClient(DatabaseOperation.Write));

        for (var second = 0; second < 300 && Pools > before; second++) await AdvanceAsync();
        Assert.Equal(before, Pools);
        var next = tenant.GetClient(DatabaseOperation.Write);
        Assert.NotSame(first, next);
        Assert.Throws<ObjectDisposedException>(() => first.OpenConnection());
        Assert.Equal("tenant", DatabaseOf(next));
    }

    [Fact]
    public async Task An_unopened_connection_that_a_caller_holds_keeps_its_pool()
    {
        var before = Pools;
        using var held = _router.ForDatabase("tenant").GetDataSource(DatabaseOperation.Write).CreateConnection();
        for (var second = 0; second < 150; second++) await AdvanceAsync();
        Assert.Equal(before + 1, Pools);
    }

    [Fact]
    public async Task A_database_router_is_disposed_with_the_clusters_router_and_not_before()
    {
        var tenant = _router.ForDatabase("tenant");
        await tenant.DisposeAsync();
        _router.GetClient(DatabaseOperation.Write);
        tenant.GetClient(DatabaseOperation.Write);
        await _router.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => tenant.GetClient(DatabaseOperation.Write));
        Assert.Throws<ObjectDisposedException>(() => tenant.ForDatabase("other"));
    }

    private async Task AdvanceAsync()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        // Leaves time for the sweep, which runs in the background.
        await Task.Delay(2, Ct);
    }
}
