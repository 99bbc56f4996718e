using ReplicaRouter.Dashboard;
using ReplicaRouter.Dashboard.Feed;

namespace ReplicaRouter.AspNetCore.Tests.Dashboard;

public class FallbackEventsTests
{
    private readonly FallbackEvents _events = new();

    [Fact]
    public void A_fallback_is_reported_when_it_begins_and_when_it_ends()
    {
        Assert.Empty(Look(0));
        Assert.Equal("Route read falls back", Assert.Single(Look(5)).Text);
        Assert.Empty(Look(9));
        for (var i = 1; i < FallbackEvents.QuietSamples; i++) Assert.Empty(Look(9));
        var end = Assert.Single(Look(9));
        Assert.Equal((Severity.Good, "9 fell back"), (end.Severity, end.Reason));
        Assert.Empty(Look(9));
    }

    [Fact]
    public void A_short_pause_does_not_end_a_fallback()
    {
        Look(0);
        Look(5);
        for (var i = 1; i < FallbackEvents.QuietSamples; i++) Look(5);
        Assert.Empty(Look(6));
    }

    [Fact]
    public void Fallbacks_counted_before_the_first_sample_are_no_event()
    {
        Assert.Empty(Look(40));
        Assert.Empty(Look(40));
    }

    [Fact]
    public void A_reason_that_appears_later_is_an_event()
    {
        Assert.Empty(_events.Since([]));
        Assert.Single(Look(3));
    }

    private List<Happening> Look(long count) => [.. _events.Since([new FallbackMessage("read", "is down", count)])];
}
