using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Connections;

public class HedgePolicyTests
{
    private readonly HedgePolicy _policy = new(routes: 1, new FakeTimeProvider());

    [Fact]
    public void One_read_in_twenty_is_given_a_second_run_after_the_first_few()
    {
        for (var i = 0; i < 5; i++) Assert.True(_policy.TryBegin());
        Assert.False(_policy.TryBegin());
        for (var i = 0; i < 20; i++) _policy.Ended(0, TimeSpan.FromMilliseconds(5));
        Assert.True(_policy.TryBegin());
        Assert.False(_policy.TryBegin());
        Assert.InRange(_policy.DelayOf(0)!.Value.TotalMilliseconds, 4, 6);
    }
}
