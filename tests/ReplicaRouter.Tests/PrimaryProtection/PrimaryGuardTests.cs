using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.PrimaryProtection;

public class PrimaryGuardTests
{
    private readonly FakeTimeProvider _time = new();

    /// <summary>Returns a limit with a constant number of slots.</summary>
    private static ConcurrencyLimit Constant(int places, TimeProvider time) => new(places, places, routes: 1, time);

    private PrimaryGuard Guard(int places, int? perSecond = null) => new(Constant(places, _time), perSecond, _time);

    private static int Admitted(IEnumerable<PrimaryTicket> tickets) => tickets.Count(ticket => ticket.Admitted.IsCompleted);

    [Fact]
    public void No_more_reads_are_admitted_than_slots_and_each_that_leaves_admits_the_next_H5()
    {
        var guard = Guard(4);
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
    public void Analytics_yield_first_then_background_work_then_reads()
    {
        var guard = Guard(8);
        var analytics = Enumerable.Range(0, 8).Select(_ => guard.Enter(ReadPriority.Analytics)).ToList();
        var background = Enumerable.Range(0, 8).Select(_ => guard.Enter(ReadPriority.Background)).ToList();
        var reads = Enumerable.Range(0, 8).Select(_ => guard.Enter(ReadPriority.Read)).ToList();
        Assert.Equal((2, 2, 4), (Admitted(analytics), Admitted(background), Admitted(reads)));
        foreach (var read in reads.Take(4)) read.Dispose();
        Assert.Equal((2, 2, 8), (Admitted(analytics), Admitted(background), Admitted(reads)));
    }

    [Fact]
    public void A_rate_admits_that_many_reads_a_second_and_returns_the_time_to_the_next()
    {
        var guard = Guard(100, perSecond: 10);
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
    public async Task Slots_are_never_exceeded_under_random_load_and_all_are_free_at_the_end()
    {
        var guard = new PrimaryGuard(Constant(5, TimeProvider.System), null, TimeProvider.System);
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

    [Fact]
    public void Slots_start_at_the_commands_in_flight_on_the_primary_and_at_least_two()
    {
        var limit = new ConcurrencyLimit(RouterConfiguration.UsualLeastPrimaryReads, 30, routes: 1, _time);
        var guard = new PrimaryGuard(limit, null, _time);
        foreach (var (underWay, places) in new[] { (7, 7), (0, 2), (1000, 30) })
        {
            guard.Enter(ReadPriority.Read, underWay).Dispose();
            Assert.Equal(places, guard.Places);
            _time.Advance(ConcurrencyLimit.Memory + TimeSpan.FromMilliseconds(1));
        }
    }

    [Fact]
    public void Slots_are_kept_while_fallback_reads_follow_within_seconds()
    {
        var guard = new PrimaryGuard(new ConcurrencyLimit(2, 30, routes: 1, _time), null, _time);
        guard.Enter(ReadPriority.Read, 20).Dispose();
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(ConcurrencyLimit.Memory);
            guard.Enter(ReadPriority.Read, 3).Dispose();
            Assert.Equal(20, guard.Places);
        }
    }

    [Fact]
    public void A_read_is_too_late_once_the_maximum_of_waiters_is_ahead_of_it()
    {
        var guard = Guard(1);
        var tickets = Enumerable.Range(0, 5).Select(_ => guard.Enter(ReadPriority.Read)).ToList();
        // The first read is admitted, and the last one has three waiters ahead.
        Assert.Equal([false, false, false, false, true], tickets.Select(ticket => guard.IsTooLate(ticket, TimeSpan.FromSeconds(2), most: 3)));
        tickets[1].Dispose();
        Assert.False(guard.IsTooLate(tickets[4], TimeSpan.FromSeconds(2), most: 3));
    }

    [Fact]
    public void Queued_reads_are_admitted_by_the_primarys_latency_and_not_by_other_hosts()
    {
        var guard = new PrimaryGuard(new ConcurrencyLimit(2, 30, routes: 1, _time), null, _time);
        var topology = new TestTopology("primary", "analytics").Answer("primary", TestTopology.Primary(1)).Answer("analytics", TestTopology.Replica(1));
        guard.OnChanged(topology.Current, topology.Current);
        var tickets = Enumerable.Range(0, 10).Select(_ => guard.Enter(ReadPriority.Read)).ToList();
        Record(guard, topology["analytics"]);
        Assert.Equal(2, Admitted(tickets));
        Record(guard, topology["primary"]);
        Assert.Equal(10, Admitted(tickets));
    }

    private void Record(PrimaryGuard guard, HostSnapshot host)
    {
        for (var i = 0; i < 500; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(5));
            guard.Record(host.Configuration.Index, route: 0, milliseconds: 2);
        }
    }
}
