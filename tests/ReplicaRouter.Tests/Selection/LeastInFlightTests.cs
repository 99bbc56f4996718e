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
        HostLoad[] loads = [.. Enumerable.Range(0, 3).Select(_ => new HostLoad(time, routes: 1))];
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

    private static HostLoad[] LoadsOf(byte[] inFlight) =>
    [
        .. inFlight.Select(count =>
        {
            var load = new HostLoad(TimeProvider.System, routes: 1);
            for (var i = 0; i < count; i++) load.Commands.Begin();
            return load;
        }),
    ];
}
