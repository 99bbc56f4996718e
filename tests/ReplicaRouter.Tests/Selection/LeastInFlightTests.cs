using FsCheck.Xunit;
using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Selection;

public class LeastInFlightTests
{
    [Property(MaxTest = 1000)]
    public bool No_candidate_has_less_in_flight_than_the_chosen_host(byte[] inFlight, ulong hosts, int seed)
    {
        var loads = LoadsOf([.. inFlight.Take(64)]);
        var candidates = hosts & (loads.Length == 64 ? ulong.MaxValue : (1UL << loads.Length) - 1);
        if (candidates == 0) return true;
        var taken = LeastInFlight.Pick(candidates, loads, new Random(seed).Next(), now: 0);
        return (candidates >> taken & 1) == 1 && Enumerable.Range(0, loads.Length).All(host => (candidates >> host & 1) == 0 || loads[host].InFlight >= loads[taken].InFlight);
    }

    [Fact]
    public void Equally_loaded_hosts_are_chosen_equally_often()
    {
        var loads = LoadsOf([1, 0, 0, 2, 0]);
        var random = new Random(1);
        var counts = Enumerable.Range(0, 3000).GroupBy(_ => LeastInFlight.Pick(0b11111, loads, random.Next(), now: 0)).ToDictionary(group => group.Key, group => group.Count());
        Assert.Equal([1, 2, 4], counts.Keys.Order());
        Assert.All(counts.Values, count => Assert.InRange(count, 900, 1100));
    }

    [Fact]
    public void The_last_host_to_answer_is_preferred_among_equals_for_a_moment()
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

    /// <summary>A host that fails every command at once has the least in flight and was always the last to answer.</summary>
    [Theory]
    [Trait("Failure", "B3")]
    [InlineData(new byte[] { 3, 0 }, 0.5)]
    [InlineData(new byte[] { 5, 2, 0 }, 1 / 3.0)]
    [InlineData(new byte[] { 0, 0, 0, 0 }, 0.25)]
    public void A_host_that_fails_immediately_gets_no_more_than_its_share(byte[] inFlight, double share)
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
    public void A_failed_host_is_not_chosen_over_a_less_busy_one()
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
    public void Errors_never_lower_a_hosts_latency_but_can_raise_it()
    {
        var load = TestTopology.Loads(hosts: 1, routes: 1, TimeProvider.System)[0];
        for (var i = 0; i < 10; i++) load.RecordFailure(0, 0.1);
        Assert.Equal(0, load.Ejection(0).TypicalMs(0));
        for (var i = 0; i < 10; i++) load.RecordCommand(0, 5);
        for (var i = 0; i < 10; i++) load.RecordFailure(0, 0.1);
        Assert.Equal(5, load.Ejection(0).TypicalMs(0), 3);
        for (var i = 0; i < 10; i++) load.RecordFailure(0, 50);
        Assert.True(load.Ejection(0).TypicalMs(0) > 10);
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
