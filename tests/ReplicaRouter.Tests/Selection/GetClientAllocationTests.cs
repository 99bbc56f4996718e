using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Selection;

[Collection(ProcessMemoryTests.Name)]
public class GetClientAllocationTests
{
    [Theory]
    [InlineData("read")]
    [InlineData("write")]
    [InlineData("analytics")]
    public async Task Choosing_a_host_allocates_nothing(string route)
    {
        var options = Options();
        await using var router = new ClusterRouter(RouterConfigurationBuilder.Build(options), createProbe: AnsweringOnce);
        DatabaseRoute built = route;
        for (var i = 0; i < 1000; i++) router.GetClient(built);

        Assert.Equal(0, AllocatedByChoices(router, built));
    }

    [Fact]
    public async Task Choosing_after_a_reload_of_the_weights_allocates_nothing()
    {
        var options = Options();
        await using var router = new ClusterRouter(RouterConfigurationBuilder.Build(options), createProbe: AnsweringOnce);
        router.GetClient(DatabaseOperation.Read);
        options.Hosts["background"].Weight = 3;
        options.Hosts.Remove("analytics");
        router.Reload(options);
        for (var i = 0; i < 1000; i++) router.GetClient(DatabaseOperation.Read);

        Assert.Equal(0, AllocatedByChoices(router, DatabaseOperation.Read));
    }

    private static DatabaseRouterOptions Options()
    {
        var options = OptionsFor("primary", "analytics", "background", "replica-3");
        options.Health.Interval = TimeSpan.FromMinutes(1);
        options.Health.Timeout = TimeSpan.FromSeconds(30);
        options.MaxLag = TimeSpan.FromMinutes(5);
        return options;
    }

    /// <summary>Answers one probe only, because evaluating a new snapshot allocates once for all choices.</summary>
    private static FakeProbe AnsweringOnce(HostConfiguration host)
    {
        var isAnswered = false;
        return new FakeProbe(async ct =>
        {
            if (isAnswered) await Task.Delay(Timeout.Infinite, ct);
            isAnswered = true;
            return host.IsConfiguredPrimary ? Primary(100) : Replica(100);
        });
    }

    private static long AllocatedByChoices(DatabaseRouter router, DatabaseRoute route)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++) router.GetClient(route);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
