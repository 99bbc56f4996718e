using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Connections;

public class PrimaryGuardTests
{
    private readonly FakeTimeProvider _time = new();

    private static int Admitted(IEnumerable<PrimaryTicket> tickets) => tickets.Count(ticket => ticket.Admitted.IsCompleted);

    [Fact]
    public void No_more_reads_are_let_in_than_there_are_places_and_each_that_leaves_lets_one_in_H5()
    {
        var guard = new PrimaryGuard(4, null, _time);
        var tickets = Enumerable.Range(0, 10).Select(_ => guard.Enter(ReadPriority.Read)).ToList();
        Assert.Equal(4, Admitted(tickets));
        tickets[0].Dispose();
        tickets[0].Dispose();
        Assert.Equal([true, true, true, true, true, false], tickets.Take(6).Select(ticket => ticket.Admitted.IsCompleted));
        tickets[7].Dispose();
        foreach (var ticket in tickets) ticket.Dispose();
        Assert.Equal(4, Admitted([.. Enumerable.Range(0, 10).Select(_ => guard.Enter(ReadPriority.Read))]));
    }

    [Fact]
    public void Analytics_give_way_first_then_background_work_then_reads()
    {
        var guard = new PrimaryGuard(8, null, _time);
        var analytics = Enumerable.Range(0, 8).Select(_ => guard.Enter(ReadPriority.Analytics)).ToList();
        var background = Enumerable.Range(0, 8).Select(_ => guard.Enter(ReadPriority.Background)).ToList();
        var reads = Enumerable.Range(0, 8).Select(_ => guard.Enter(ReadPriority.Read)).ToList();
        Assert.Equal((2, 2, 4), (Admitted(analytics), Admitted(background), Admitted(reads)));
        foreach (var read in reads.Take(4)) read.Dispose();
        Assert.Equal((2, 2, 8), (Admitted(analytics), Admitted(background), Admitted(reads)));
    }

    [Fact]
    public void A_rate_lets_in_as_many_a_second_and_tells_when_the_next_may_go()
    {
        var guard = new PrimaryGuard(100, 10, _time);
        var tickets = Enumerable.Range(0, 25).Select(_ => guard.Enter(ReadPriority.Read)).ToList();
        Assert.Equal(10, Admitted(tickets));
        Assert.Equal(100, guard.Refill()!.Value.TotalMilliseconds, 1);
        _time.Advance(TimeSpan.FromMilliseconds(500));
        guard.Refill();
        Assert.Equal(15, Admitted(tickets));
        _time.Advance(TimeSpan.FromSeconds(10));
        guard.Refill();
        Assert.Equal(25, Admitted(tickets));
    }

    [Fact]
    public async Task Whoever_comes_and_goes_at_random_the_places_are_never_exceeded_and_all_free_in_the_end()
    {
        var guard = new PrimaryGuard(5, null, TimeProvider.System);
        var (inside, most) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 5000; i++)
            {
                using var ticket = guard.Enter((ReadPriority)random.Next(3));
                if (random.Next(4) == 0 && !ticket.Admitted.IsCompleted) continue;
                await ticket.Admitted;
                var now = Interlocked.Increment(ref inside);
                for (var seen = most; now > seen; seen = most) Interlocked.CompareExchange(ref most, now, seen);
                Interlocked.Decrement(ref inside);
            }
        })));
        Assert.InRange(most, 1, 5);
        Assert.Equal(5, Enumerable.Range(0, 9).Select(_ => guard.Enter(ReadPriority.Read)).Count(ticket => ticket.Admitted.IsCompleted));
    }
}
