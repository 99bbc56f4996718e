using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Selection;

public class GetClientAllocationTests
{
    [Theory]
    [InlineData("read")]
    [InlineData("write")]
    [InlineData("analytics")]
    public async Task Choosing_a_host_allocates_nothing(string route)
    {
        var options = Options();
        await using var router = new DatabaseRouter(RouterConfigurationBuilder.Build(options),
            createProbe: host => FakeProbe.Of(host.IsConfiguredPrimary ? Primary(100) : Replica(100)));
        Route built = route;
        for (var i = 0; i < 1000; i++) router.GetClient(built);

        // One of the first answers may come late, which makes a snapshot more to be judged.
        Assert.Contains(0, Enumerable.Range(0, 10).Select(_ => AllocatedByChoices(router, built)));
    }

    /// <summary>Nobody is probed again while a test runs: to judge a new snapshot allocates, once for all.</summary>
    private static DatabaseRouterOptions Options()
    {
        var options = OptionsFor("primary", "analytics", "background", "replica-3");
        options.Health.Interval = TimeSpan.FromMinutes(1);
        options.MaxLag = TimeSpan.FromMinutes(5);
        return options;
    }

    [Fact]
    public async Task Choosing_by_weights_that_have_just_been_changed_allocates_nothing()
    {
        var options = Options();
        await using var router = new DatabaseRouter(RouterConfigurationBuilder.Build(options),
            createProbe: host => FakeProbe.Of(host.IsConfiguredPrimary ? Primary(100) : Replica(100)));
        router.GetClient(DatabaseOperation.Read);
        options.Hosts["background"].Weight = 3;
        options.Hosts.Remove("analytics");
        router.Reload(options);
        for (var i = 0; i < 1000; i++) router.GetClient(DatabaseOperation.Read);

        // The removed host is drained meanwhile, which makes a snapshot more to be judged.
        Assert.Contains(0, Enumerable.Range(0, 10).Select(_ => AllocatedByChoices(router, DatabaseOperation.Read)));
    }

    private static long AllocatedByChoices(DatabaseRouter router, Route route)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++) router.GetClient(route);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
