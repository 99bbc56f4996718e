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
    public void A_rate_that_was_used_up_leaves_a_place_again_after_a_second()
    {
        var guard = Guard(100, perSecond: 1);
        guard.Enter(ReadPriority.Read).Dispose();
        Assert.False(guard.HasPlace(ReadPriority.Read));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(guard.HasPlace(ReadPriority.Read));
    }

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

    [Fact]
    public void There_is_a_place_for_a_read_as_long_as_one_would_be_admitted_at_once()
    {
        var guard = Guard(2);
        var first = guard.Enter(ReadPriority.Read);
        Assert.True(guard.HasPlace(ReadPriority.Read));
        guard.Enter(ReadPriority.Read);
        Assert.False(guard.HasPlace(ReadPriority.Read));
        first.Dispose();
        Assert.True(guard.HasPlace(ReadPriority.Read));
    }

    [Fact]
    public void Queued_analytics_take_no_place_from_background_work_and_reads()
    {
        var guard = Guard(8);
        var tickets = Enumerable.Range(0, 3).Select(_ => guard.Enter(ReadPriority.Analytics)).ToList();
        Assert.Equal(2, Admitted(tickets));
        Assert.Equal((false, true, true), (guard.HasPlace(ReadPriority.Analytics), guard.HasPlace(ReadPriority.Background), guard.HasPlace(ReadPriority.Read)));
        guard.AddUnasked(2);
        Assert.Equal((false, true), (guard.HasPlace(ReadPriority.Background), guard.HasPlace(ReadPriority.Read)));
    }

    [Fact]
    public void A_rate_that_is_used_up_leaves_no_place_although_slots_are_free()
    {
        var guard = Guard(100, perSecond: 1);
        Assert.True(guard.HasPlace(ReadPriority.Read));
        guard.Enter(ReadPriority.Read).Dispose();
        Assert.False(guard.HasPlace(ReadPriority.Read));
    }

    [Fact]
    public void Reads_that_could_not_be_held_back_take_slots_until_they_end()
    {
        var guard = Guard(3);
        guard.AddUnasked(2);
        var tickets = Enumerable.Range(0, 3).Select(_ => guard.Enter(ReadPriority.Read)).ToList();
        Assert.Equal(1, Admitted(tickets));
        guard.AddUnasked(-1);
        Assert.Equal(2, Admitted(tickets));
        guard.AddUnasked(-1);
        Assert.Equal(3, Admitted(tickets));
    }

    [Fact]
    public void The_time_to_the_next_read_counts_what_has_passed_and_is_unknown_if_the_rate_holds_no_read_back()
    {
        var guard = Guard(100, perSecond: 10);
        Assert.Null(guard.Refill());
        Assert.Null(Guard(1).Refill());
        for (var i = 0; i < 10; i++) guard.Enter(ReadPriority.Read);
        _time.Advance(TimeSpan.FromMilliseconds(25));
        Assert.Equal(75, guard.Refill()!.Value.TotalMilliseconds, 1);
    }

    [Fact]
    public void A_pause_without_reads_saves_up_no_more_than_one_second_of_the_rate()
    {
        var guard = Guard(100, perSecond: 10);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(10, Admitted([.. Enumerable.Range(0, 25).Select(_ => guard.Enter(ReadPriority.Read))]));
    }

    [Fact]
    public void Slots_are_kept_while_a_long_read_runs_and_seconds_after_it()
    {
        var guard = new PrimaryGuard(new ConcurrencyLimit(2, 30, routes: 1, _time), null, _time);
        var read = guard.Enter(ReadPriority.Read, 20);
        _time.Advance(2 * ConcurrencyLimit.Memory);
        guard.Enter(ReadPriority.Read, 3).Dispose();
        Assert.Equal(20, guard.Places);
        _time.Advance(2 * ConcurrencyLimit.Memory);
        read.Dispose();
        _time.Advance(ConcurrencyLimit.Memory);
        guard.Enter(ReadPriority.Read, 3).Dispose();
        Assert.Equal(20, guard.Places);
    }

    [Fact]
    public void Only_another_primary_resets_the_slots()
    {
        var guard = new PrimaryGuard(new ConcurrencyLimit(2, 30, routes: 1, _time), null, _time);
        var topology = new TestTopology("primary", "dr").Answer("primary", TestTopology.Primary(1)).Answer("dr", TestTopology.Replica(1));
        guard.OnChanged(topology.Current, topology.Current);
        using var read = guard.Enter(ReadPriority.Read, 20);
        Assert.Equal(20, PlacesAfter(topology.Advance(1).Answer("primary", TestTopology.Primary(2))));
        Assert.Equal(20, PlacesAfter(topology.Fail("primary", FailureKind.Unreachable)));
        Assert.Equal(2, PlacesAfter(topology.Advance(1).Answer("dr", TestTopology.Primary(3, timeline: 2))));

        int PlacesAfter(TestTopology change)
        {
            guard.OnChanged(change.Current, change.Current);
            return guard.Places;
        }
    }

    /// <summary>While the limit still doubles, the rate of the last moments says little.</summary>
    [Theory]
    [InlineData(2, false)]
    [InlineData(20, true)]
    public void A_read_with_more_ahead_than_are_served_within_its_wait_is_too_late_once_the_limit_is_found(double milliseconds, bool isTooLate)
    {
        var guard = Guard(2);
        var topology = new TestTopology("primary").Answer("primary", TestTopology.Primary(1));
        guard.OnChanged(topology.Current, topology.Current);
        for (var i = 0; i < 20; i++) guard.Record(host: 0, route: 0, milliseconds: 2);
        var tickets = new Queue<PrimaryTicket>(Enumerable.Range(0, 2).Select(_ => guard.Enter(ReadPriority.Read)));
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(25));
            guard.Record(host: 0, route: 0, milliseconds);
        }

        for (var i = 0; i < 300; i++) tickets.Enqueue(guard.Enter(ReadPriority.Read));
        for (var i = 0; i < 40; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            tickets.Dequeue().Dispose();
        }

        // A hundred reads a second are served.
        var waiting = tickets.Where(ticket => !ticket.Admitted.IsCompleted).ToList();
        Assert.Equal(isTooLate, guard.IsTooLate(waiting[150], TimeSpan.FromSeconds(1), most: 1000));
        Assert.False(guard.IsTooLate(waiting[50], TimeSpan.FromSeconds(1), most: 1000));
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
