using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Hosts;

/// <summary>What counts as a relapse of a host that has returned.</summary>
public class ReturningHostTests
{
    private readonly FakeTimeProvider _time = new();

    private Probation Returned() => default(Probation).Failed(_time.GetTimestamp(), _time).Answered(_time.GetTimestamp(), mustProve: false, TimeSpan.Zero, _time);

    [Theory]
    [InlineData(59, 1)]
    [InlineData(60, 0)]
    public void A_host_that_fails_within_a_minute_of_its_return_has_relapsed(int seconds, int relapses)
    {
        var returned = Returned();
        _time.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Equal(relapses, returned.Failed(_time.GetTimestamp(), _time).Relapses);
    }

    [Fact]
    public void A_second_failure_of_a_host_that_is_out_is_no_relapse()
    {
        var failed = Returned().Failed(_time.GetTimestamp(), _time);
        Assert.Equal((true, 1, 1), (failed.IsOut, failed.Relapses, failed.Failed(_time.GetTimestamp(), _time).Relapses));
    }

    [Fact]
    public void A_host_that_never_was_out_has_its_whole_load()
    {
        Assert.Equal((1.0, 0L, false), (default(Probation).ShareAt(_time.GetTimestamp()), default(Probation).FullAt, default(Probation).IsOut));
        Assert.True(Probation.Arrival.IsOut);
    }

    /// <summary>The clock starts at 0 when the machine does.</summary>
    [Fact]
    public void The_first_failure_of_a_host_is_no_relapse_however_young_the_clock_is() =>
        Assert.Equal((true, 0), (default(Probation).Failed(now: 5, _time).IsOut, default(Probation).Failed(now: 5, _time).Relapses));
}
