using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Connections;

public class PlacesTests
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private async Task<Places> FullAsync(int count)
    {
        var places = new Places(Places.Sizes(count), _time);
        for (var i = 0; i < count; i++) await ConnectAsync(places);
        Assert.Equal(None, Take(places));
        return places;
    }

    private const int None = -1;

    /// <summary>The tier of the place that is given now.</summary>
    private static int Take(Places places) => places.TryTake()?.Tier ?? None;

    /// <summary>The tier of a place with a connection, however long it takes to get one.</summary>
    private async Task<int> ConnectAsync(Places places)
    {
        var place = places.TryTake() ?? await AfterWaitingAsync(places);
        if (place.IsLogin) places.LoginEnded(isConnected: true);
        return place.Tier;
    }

    /// <summary>A place for somebody who waits for as long as a login costs.</summary>
    private async Task<Place> AfterWaitingAsync(Places places)
    {
        var turn = places.TakeAsync(s_timeout, Ct);
        _time.Advance(Places.LoginCost);
        return await turn;
    }

    /// <summary>Waits for the one connection there is, which comes back after a tenth of what a login costs.</summary>
    private async Task WaitBrieflyAsync(Places places)
    {
        var turn = places.TakeAsync(s_timeout, Ct);
        _time.Advance(Places.LoginCost / 10);
        places.Return(0);
        Assert.False((await turn).IsLogin);
    }

    private async Task<Places> FiveIdleAsync()
    {
        var places = new Places(Places.Sizes(10), _time);
        List<int> taken = [];
        for (var i = 0; i < 5; i++) taken.Add(await ConnectAsync(places));
        taken.ForEach(places.Return);
        return places;
    }

    [Theory]
    [InlineData(1, new[] { 1 })]
    [InlineData(3, new[] { 2, 1 })]
    [InlineData(30, new[] { 2, 2, 4, 8, 14 })]
    [InlineData(100, new[] { 2, 2, 4, 8, 16, 68 })]
    public void Each_tier_has_as_many_places_as_all_before_it_and_the_last_one_the_rest(int count, int[] sizes) => Assert.Equal(sizes, Places.Sizes(count));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(17)]
    [InlineData(32)]
    [InlineData(5_000)]
    public async Task The_first_tier_with_a_free_place_gives_it_and_each_gives_as_many_as_it_has(int count)
    {
        var sizes = Places.Sizes(count);
        var places = new Places(sizes, _time);
        List<int> taken = [];
        while (taken.Count < count) taken.Add(await ConnectAsync(places));
        Assert.Equal(taken.Order(), taken);
        Assert.Equal(sizes, taken.GroupBy(tier => tier).OrderBy(tier => tier.Key).Select(tier => tier.Count()));
        Assert.Equal(None, Take(places));
        foreach (var tier in taken.Distinct().Reverse())
        {
            places.Return(tier);
            Assert.Equal(new Place(tier, IsLogin: false), places.TryTakeIdle(tier));
            Assert.Null(places.TryTakeIdle(tier));
            places.Return(tier);
            Assert.Equal(tier, Take(places));
        }
    }

    [Fact]
    public async Task Who_comes_first_is_served_first_and_nobody_overtakes()
    {
        var places = await FullAsync(3);
        var waiting = Enumerable.Range(0, 3).Select(_ => places.TakeAsync(s_timeout, Ct)).ToList();
        foreach (var (tier, next) in new[] { (1, waiting[0]), (0, waiting[1]), (0, waiting[2]) })
        {
            Assert.False(next.IsCompleted);
            places.Return(tier);
            Assert.Equal(tier, (await next).Tier);
            Assert.Equal(None, Take(places));
        }

        places.Return(1);
        Assert.Equal(1, Take(places));
    }

    [Fact]
    public async Task Who_waits_on_a_thread_stands_in_the_same_line()
    {
        var places = await FullAsync(1);
        Assert.Throws<TimeoutException>(() => places.Take(TimeSpan.FromMilliseconds(1)));
        var waiting = Task.Factory.StartNew(() => places.Take(TimeSpan.FromSeconds(20)), Ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        places.Return(0);
        Assert.Equal(0, (await waiting).Tier);
        Assert.Equal(None, Take(places));
    }

    [Fact]
    public async Task Who_waits_too_long_is_told_and_takes_no_place_with_him()
    {
        var places = await FullAsync(1);
        var waiting = places.TakeAsync(s_timeout, Ct);
        _time.Advance(s_timeout);
        await Assert.ThrowsAsync<TimeoutException>(() => waiting);
        Assert.Equal(None, Take(places));
        places.Return(0);
        Assert.Equal(0, Take(places));
    }

    [Fact]
    public async Task Who_was_cancelled_passes_the_place_on()
    {
        var places = await FullAsync(1);
        using var cancellation = new CancellationTokenSource();
        var cancelled = places.TakeAsync(s_timeout, cancellation.Token);
        var next = places.TakeAsync(s_timeout, Ct);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.False(next.IsCompleted);
        places.Return(0);
        Assert.Equal(0, (await next).Tier);
    }

    [Fact]
    public async Task Few_log_in_at_once_and_others_take_what_comes_back_sooner()
    {
        var places = new Places(Places.Sizes(10), _time);
        for (var i = 0; i < Places.MostLogins; i++) Assert.Equal(new Place(0, IsLogin: true), places.TryTake());
        Assert.Null(places.TryTake());
        var waiting = Enumerable.Range(0, 3).Select(_ => places.TakeAsync(s_timeout, Ct)).ToList();
        _time.Advance(Places.LoginCost);
        Assert.False(waiting[0].IsCompleted);
        places.LoginEnded(isConnected: true);
        Assert.Equal(new Place(1, IsLogin: true), await waiting[0]);
        Assert.False(waiting[1].IsCompleted);
        places.Return(0);
        Assert.Equal(new Place(0, IsLogin: false), await waiting[1]);
        Assert.False(waiting[2].IsCompleted);
        places.LoginEnded(isConnected: false);
        Assert.Equal(new Place(1, IsLogin: true), await waiting[2]);
    }

    [Fact]
    public async Task Nobody_logs_in_for_a_wait_that_costs_less_and_several_who_wait_share_it()
    {
        var places = new Places(Places.Sizes(10), _time);
        Assert.Equal(0, await ConnectAsync(places));
        for (var i = 0; i < 20; i++)
        {
            await WaitBrieflyAsync(places);
            _time.Advance(Places.LoginCost * 4);
        }

        var waiting = Enumerable.Range(0, 4).Select(_ => places.TakeAsync(s_timeout, Ct)).ToList();
        _time.Advance(Places.LoginCost / 3);
        Assert.All(waiting, turn => Assert.False(turn.IsCompleted));
        waiting.Add(places.TakeAsync(s_timeout, Ct));
        Assert.Equal(new Place(0, IsLogin: true), await waiting[0]);
        Assert.All(waiting[1..], turn => Assert.False(turn.IsCompleted));
    }

    [Fact]
    public async Task Waits_that_come_again_and_again_are_worth_a_login()
    {
        var places = new Places(Places.Sizes(10), _time);
        Assert.Equal(0, await ConnectAsync(places));
        for (var waits = 0; waits < 9; waits++) await WaitBrieflyAsync(places);
        var again = places.TakeAsync(s_timeout, Ct);
        Assert.False(again.IsCompleted);
        _time.Advance(Places.LoginCost / 10);
        Assert.True((await again).IsLogin);
    }

    [Fact]
    public async Task A_login_that_takes_long_holds_up_nobody()
    {
        var places = new Places(Places.Sizes(10), _time);
        for (var i = 0; i < Places.MostLogins; i++) places.TryTake();
        var waiting = places.TakeAsync(s_timeout, Ct);
        places.LoginIsLong();
        Assert.Equal(new Place(1, IsLogin: true), await waiting);
        Assert.Null(places.TryTake());
        places.LoginEnded(isConnected: false, wasLong: true);
        Assert.Null(places.TryTake());
        places.LoginEnded(isConnected: false);
        Assert.Equal(new Place(1, IsLogin: true), places.TryTake());
    }

    [Fact]
    public async Task Who_logs_in_has_what_comes_back_sooner_and_before_those_who_came_later()
    {
        var places = new Places(Places.Sizes(10), _time);
        Assert.Equal(0, await ConnectAsync(places));
        Assert.Equal(new Place(0, IsLogin: true), await AfterWaitingAsync(places));
        var turn = places.LineUpForReturned();
        Assert.Equal(new Place(1, IsLogin: true), await AfterWaitingAsync(places));
        var last = places.TakeAsync(s_timeout, Ct);
        places.Return(0);
        Assert.Equal(new Place(0, IsLogin: false), await turn.Task);
        Assert.False(last.IsCompleted);
        places.GiveUp(turn);
        Assert.Equal(new Place(0, IsLogin: false), await last);
    }

    [Fact]
    public async Task As_many_logins_as_may_be_keep_nobody_from_an_idle_connection()
    {
        var places = await FiveIdleAsync();
        places.Broke();
        for (var i = 0; i < 4; i++) Assert.False(places.TryTake()!.Value.IsLogin);
        for (var i = 0; i < Places.MostLogins; i++) Assert.True((await AfterWaitingAsync(places)).IsLogin);
        Assert.Null(places.TryTake());
        places.Return(0);
        Assert.Equal(new Place(0, IsLogin: false), places.TryTake());
        places.Return(0);
        places.Forget();
        Assert.Null(places.TryTake());
    }

    [Fact]
    public async Task A_login_that_nobody_expected_tells_that_the_idle_connections_are_gone()
    {
        var places = await FiveIdleAsync();
        Assert.Equal(new Place(0, IsLogin: false), places.TryTake());
        places.LoginBegan();
        Assert.Equal(new Place(0, IsLogin: true), places.TryTake());
        Assert.Null(places.TryTake());
        places.LoginEnded(isConnected: true);
        Assert.Null(places.TryTake());
        Assert.Equal(new Place(1, IsLogin: true), await AfterWaitingAsync(places));
    }

    [Fact]
    public async Task Nobody_waits_for_places_that_are_abolished()
    {
        var places = await FullAsync(1);
        var waiting = places.TakeAsync(s_timeout, Ct);
        places.Abolish();
        await waiting;
        await places.TakeAsync(s_timeout, Ct);
    }

    [Fact]
    public async Task However_many_come_go_and_give_up_at_once_there_are_never_more_inside_and_no_place_is_lost()
    {
        const int Count = 3;
        var places = new Places(Places.Sizes(Count), TimeProvider.System);
        var (inside, most, entered) = (0, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            for (var i = 0; i < 2_000; i++)
            {
                using var cancellation = new CancellationTokenSource();
                var taking = places.TryTake() is { } free ? Task.FromResult(free) : places.TakeAsync(TimeSpan.FromSeconds(20), cancellation.Token);
                if (random.Next(3) == 0) await cancellation.CancelAsync();
                Place place;
                try
                {
                    place = await taking;
                }
                catch (OperationCanceledException)
                {
                    continue;
                }

                if (place.IsLogin) places.LoginEnded(isConnected: random.Next(3) != 0);
                var now = Interlocked.Increment(ref inside);
                for (var seen = Volatile.Read(ref most); now > seen; seen = Volatile.Read(ref most)) Interlocked.CompareExchange(ref most, now, seen);
                Interlocked.Increment(ref entered);
                if (random.Next(4) == 0) await Task.Yield();
                Interlocked.Decrement(ref inside);
                places.Return(place.Tier);
            }
        }, Ct)));

        Assert.InRange(most, 1, Count);
        Assert.InRange(entered, 8_000, 16_000);
        List<int> free = [];
        for (var i = 0; i < Count; i++)
        {
            var place = await places.TakeAsync(TimeSpan.FromSeconds(20), Ct);
            if (place.IsLogin) places.LoginEnded(isConnected: true);
            free.Add(place.Tier);
        }

        Assert.Equal([0, 0, 1], free);
        Assert.Null(places.TryTake());
    }
}
