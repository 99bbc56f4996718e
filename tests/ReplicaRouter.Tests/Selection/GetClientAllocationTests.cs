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
        var options = OptionsFor("primary", "analytics", "background", "replica-3");
        await using var router = new DatabaseRouter(RouterConfigurationBuilder.Build(options),
            createProbe: host => FakeProbe.Of(host.IsConfiguredPrimary ? Primary(100) : Replica(100)));
        Route built = route;
        for (var i = 0; i < 1000; i++) router.GetClient(built);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++) router.GetClient(built);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
