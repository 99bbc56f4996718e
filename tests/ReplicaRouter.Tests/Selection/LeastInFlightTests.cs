using FsCheck.Xunit;
using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Selection;

public class LeastInFlightTests
{
    [Property(MaxTest = 1000)]
    public bool No_host_has_less_under_way_than_the_one_that_is_taken(byte[] inFlight, ulong hosts, int seed)
    {
        var loads = LoadsOf([.. inFlight.Take(64)]);
        var candidates = hosts & (loads.Length == 64 ? ulong.MaxValue : (1UL << loads.Length) - 1);
        if (candidates == 0) return true;
        var taken = LeastInFlight.Pick(candidates, loads, new Random(seed).Next(), now: 0);
        return (candidates >> taken & 1) == 1 && Enumerable.Range(0, loads.Length).All(host => (candidates >> host & 1) == 0 || loads[host].InFlight >= loads[taken].InFlight);
    }

    [Fact]
    public void Equals_are_taken_equally_often()
    {
        var loads = LoadsOf([1, 0, 0, 2, 0]);
        var random = new Random(1);
        var counts = Enumerable.Range(0, 3000).GroupBy(_ => LeastInFlight.Pick(0b11111, loads, random.Next(), now: 0)).ToDictionary(group => group.Key, group => group.Count());
        Assert.Equal([1, 2, 4], counts.Keys.Order());
        Assert.All(counts.Values, count => Assert.InRange(count, 900, 1100));
    }

    [Fact]
    public void Of_equals_the_one_that_has_just_answered_is_taken_seven_times_in_eight_and_no_more_than_others_a_moment_later()
    {
        var time = new FakeTimeProvider();
        var loads = TestTopology.Loads(hosts: 3, routes: 1, time);
        foreach (var load in (HostLoad[])[loads[0], loads[2], loads[1]])
        {
            time.Advance(TimeSpan.FromMilliseconds(0.1));
            load.Commands.Begin();
            load.Commands.End();
        }

        Assert.InRange(TakenOf3000(), 2625 + 125 - 100, 2625 + 125 + 100);
        time.Advance(TimeSpan.FromMilliseconds(3));
        Assert.InRange(TakenOf3000(), 900, 1100);

        int TakenOf3000()
        {
            var random = new Random(1);
            return Enumerable.Range(0, 3000).Count(_ => LeastInFlight.Pick(0b111, loads, random.Next(), loads[0].Now) == 1);
        }
    }

    /// <summary>It is done with each command at once, so that it has the least under way and was the last to answer.</summary>
    [Theory]
    [Trait("Failure", "B3")]
    [InlineData(new byte[] { 3, 0 }, 0.5)]
    [InlineData(new byte[] { 5, 2, 0 }, 1 / 3.0)]
    [InlineData(new byte[] { 0, 0, 0, 0 }, 0.25)]
    public void A_host_that_fails_at_once_gets_no_more_than_its_share(byte[] inFlight, double share)
    {
        var loads = LoadsOf(inFlight);
        loads[^1].Commands.Begin();
        loads[^1].Commands.End();
        loads[^1].RecordFailure(0, 0.1);
        var random = new Random(1);
        var taken = Enumerable.Range(0, 3000).Count(_ => LeastInFlight.Pick((1UL << loads.Length) - 1, loads, random.Next(), loads[0].Now) == loads.Length - 1);
        Assert.InRange(taken, 1, 3000 * share * 1.1);
    }

    [Fact]
    [Trait("Failure", "B3")]
    public void A_host_that_has_failed_and_is_busier_than_another_is_not_taken_and_where_all_have_failed_the_least_busy_is()
    {
        var loads = LoadsOf([1, 2]);
        loads[1].RecordFailure(0, 0.1);
        var random = new Random(1);
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(0, LeastInFlight.Pick(0b11, loads, random.Next(), now: 0)));
        loads[0].RecordFailure(0, 0.1);
        Assert.Equal(0, LeastInFlight.Pick(0b11, loads, random.Next(), now: 0));
        loads[1].RecordCommand(0, 1);
        Assert.False(loads[1].HasFailed);
    }

    [Fact]
    [Trait("Failure", "B3")]
    public void What_ended_in_an_error_makes_no_host_seem_fast_and_may_make_it_seem_slow()
    {
        var load = TestTopology.Loads(hosts: 1, routes: 1, TimeProvider.System)[0];
        for (var i = 0; i < 10; i++) load.RecordFailure(0, 0.1);
        Assert.Equal(0, load.TypicalMs(0));
        for (var i = 0; i < 10; i++) load.RecordCommand(0, 5);
        for (var i = 0; i < 10; i++) load.RecordFailure(0, 0.1);
        Assert.Equal(5, load.TypicalMs(0), 3);
        for (var i = 0; i < 10; i++) load.RecordFailure(0, 50);
        Assert.True(load.TypicalMs(0) > 10);
    }

    private static HostLoad[] LoadsOf(byte[] inFlight)
    {
        var loads = TestTopology.Loads(inFlight.Length, routes: 1, TimeProvider.System);
        for (var host = 0; host < inFlight.Length; host++)
        {
            for (var i = 0; i < inFlight[host]; i++) loads[host].Commands.Begin();
        }

        return loads;
    }
}
