using ReplicaRouter.Dashboard;
using ReplicaRouter.Dashboard.Feed;

namespace ReplicaRouter.AspNetCore.Tests.Dashboard;

public class RingTests
{
    [Theory]
    [InlineData(0, "")]
    [InlineData(2, "1 2")]
    [InlineData(3, "1 2 3")]
    [InlineData(4, "2 3 4")]
    [InlineData(8, "6 7 8")]
    public void A_ring_keeps_the_last_items_oldest_first(int added, string kept)
    {
        var ring = new Ring<int>(3);
        for (var i = 1; i <= added; i++) ring.Add(i);
        Assert.Equal(kept, string.Join(' ', ring.ToArray()));
        Assert.Equal(Math.Min(added, 3), ring.Count);
    }
}
