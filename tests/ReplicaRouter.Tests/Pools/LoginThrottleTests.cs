using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Pools;

public class LoginThrottleTests
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private LoginThrottle Throttle(int limit) => new(limit, _time);

    /// <summary>A pool all of whose connections are in use.</summary>
    private async Task<LoginThrottle> FullAsync(int limit)
    {
        var throttle = Throttle(limit);
        for (var i = 0; i < limit; i++) await ConnectAsync(throttle);
        Assert.Equal(Admission.Wait, throttle.TryEnter());
        return throttle;
    }

    /// <summary>Takes a connection, however long that takes.</summary>
    private async Task ConnectAsync(LoginThrottle throttle)
    {
        var admission = throttle.TryEnter();
        if (admission == Admission.Wait) admission = await AfterWaitingAsync(throttle);
        if (admission == Admission.Login) throttle.OnLoginEnded(isConnected: true);
    }

    /// <summary>A caller that waits for as long as a login costs.</summary>
    private async Task<Admission> AfterWaitingAsync(LoginThrottle throttle)
    {
        var turn = throttle.EnterAsync(s_timeout, async: true, Ct);
        _time.Advance(LoginThrottle.LoginCost);
        return await turn;
    }

    /// <summary>A caller that waits for the only connection, which comes back after a tenth of what a login costs.</summary>
    private async Task WaitBrieflyAsync(LoginThrottle throttle)
    {
        var turn = throttle.EnterAsync(s_timeout, async: true, Ct);
        _time.Advance(LoginThrottle.LoginCost / 10);
        throttle.Leave();
        Assert.Equal(Admission.Idle, await turn);
    }

    /// <summary>A caller that waits on its own thread.</summary>
    private static Admission Enter(LoginThrottle throttle, TimeSpan timeout) => throttle.EnterAsync(timeout, async: false, Ct).GetAwaiter().GetResult();

    private async Task<LoginThrottle> FiveIdleAsync()
    {
        var throttle = Throttle(10);
        for (var i = 0; i < 5; i++) await ConnectAsync(throttle);
        for (var i = 0; i < 5; i++) throttle.Leave();
        return throttle;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(5_000)]
    public async Task A_pool_gives_as_many_connections_as_it_may_have(int limit)
    {
        var throttle = await FullAsync(limit);
        Assert.True(throttle.IsFull);
        Assert.False(throttle.TryEnterIdle());
        throttle.Leave();
        Assert.False(throttle.IsFull);
        Assert.True(throttle.TryEnterIdle());
        Assert.Equal(Admission.Wait, throttle.TryEnter());
    }

    [Fact]
    public async Task Callers_are_served_in_the_order_in_which_they_came()
    {
        var throttle = await FullAsync(3);
        var waiting = Enumerable.Range(0, 3).Select(_ => throttle.EnterAsync(s_timeout, async: true, Ct)).ToList();
        Assert.Equal(3, throttle.Waiting);
        foreach (var next in waiting)
        {
            Assert.False(next.IsCompleted);
            throttle.Leave();
            Assert.Equal(Admission.Idle, await next);
            Assert.Equal(Admission.Wait, throttle.TryEnter());
        }

        throttle.Leave();
        Assert.Equal(Admission.Idle, throttle.TryEnter());
    }

    [Fact]
    public async Task Synchronous_callers_stand_in_the_same_line()
    {
        var throttle = await FullAsync(1);
        Assert.Throws<TimeoutException>(() => Enter(throttle, TimeSpan.FromMilliseconds(1)));
        var waiting = Task.Factory.StartNew(() => Enter(throttle, TimeSpan.FromSeconds(20)), Ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        throttle.Leave();
        Assert.Equal(Admission.Idle, await waiting);
        Assert.Equal(Admission.Wait, throttle.TryEnter());
    }

    [Fact]
    public async Task A_caller_that_waits_too_long_takes_no_connection_with_it()
    {
        var throttle = await FullAsync(1);
        var waiting = throttle.EnterAsync(s_timeout, async: true, Ct);
        _time.Advance(s_timeout);
        await Assert.ThrowsAsync<TimeoutException>(() => waiting);
        Assert.Equal(Admission.Wait, throttle.TryEnter());
        throttle.Leave();
        Assert.Equal(Admission.Idle, throttle.TryEnter());
    }

    [Fact]
    public async Task The_turn_of_a_caller_that_was_cancelled_passes_to_the_next_one()
    {
        var throttle = await FullAsync(1);
        using var cancellation = new CancellationTokenSource();
        var cancelled = throttle.EnterAsync(s_timeout, async: true, cancellation.Token);
        var next = throttle.EnterAsync(s_timeout, async: true, Ct);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.False(next.IsCompleted);
        throttle.Leave();
        Assert.Equal(Admission.Idle, await next);
    }

    [Fact]
    public async Task Few_callers_log_in_immediately_and_others_are_served_by_what_comes_back()
    {
        var throttle = Throttle(10);
        for (var i = 0; i < LoginThrottle.MostLogins; i++) Assert.Equal(Admission.Login, throttle.TryEnter());
        Assert.Equal(Admission.Wait, throttle.TryEnter());
        var waiting = Enumerable.Range(0, 3).Select(_ => throttle.EnterAsync(s_timeout, async: true, Ct)).ToList();
        _time.Advance(LoginThrottle.LoginCost);
        Assert.False(waiting[0].IsCompleted);
        throttle.OnLoginEnded(isConnected: true);
        Assert.Equal(Admission.Login, await waiting[0]);
        Assert.False(waiting[1].IsCompleted);
        throttle.Leave();
        Assert.Equal(Admission.Idle, await waiting[1]);
        Assert.False(waiting[2].IsCompleted);
        throttle.OnLoginEnded(isConnected: false);
        throttle.Leave();
        Assert.Equal(Admission.Login, await waiting[2]);
    }

    [Fact]
    public async Task No_caller_logs_in_for_a_wait_that_costs_less_and_those_who_wait_share_the_cost()
    {
        var throttle = Throttle(10);
        await ConnectAsync(throttle);
        for (var i = 0; i < 20; i++)
        {
            await WaitBrieflyAsync(throttle);
            _time.Advance(LoginThrottle.LoginCost * 4);
        }

        var waiting = Enumerable.Range(0, 4).Select(_ => throttle.EnterAsync(s_timeout, async: true, Ct)).ToList();
        _time.Advance(LoginThrottle.LoginCost / 3);
        Assert.All(waiting, turn => Assert.False(turn.IsCompleted));
        waiting.Add(throttle.EnterAsync(s_timeout, async: true, Ct));
        Assert.Equal(Admission.Login, await waiting[0]);
        Assert.All(waiting[1..], turn => Assert.False(turn.IsCompleted));
    }

    [Fact]
    public async Task Waits_that_come_again_and_again_are_worth_a_login()
    {
        var throttle = Throttle(10);
        await ConnectAsync(throttle);
        for (var waits = 0; waits < 9; waits++) await WaitBrieflyAsync(throttle);
        var again = throttle.EnterAsync(s_timeout, async: true, Ct);
        Assert.False(again.IsCompleted);
        _time.Advance(LoginThrottle.LoginCost / 10);
        Assert.Equal(Admission.Login, await again);
    }

    [Fact]
    public async Task A_login_that_takes_long_makes_room_for_another_one()
    {
        var throttle = Throttle(10);
        for (var i = 0; i < LoginThrottle.MostLogins; i++) throttle.TryEnter();
        var waiting = throttle.EnterAsync(s_timeout, async: true, Ct);
        throttle.OnLoginIsLong();
        Assert.Equal(Admission.Login, await waiting);
        Assert.Equal(Admission.Wait, throttle.TryEnter());
        throttle.OnLoginEnded(isConnected: false, wasLong: true);
        throttle.Leave();
        Assert.Equal(Admission.Wait, throttle.TryEnter());
        throttle.OnLoginEnded(isConnected: false);
        throttle.Leave();
        Assert.Equal(Admission.Login, throttle.TryEnter());
    }

    [Fact]
    public async Task Logins_under_way_keep_no_caller_from_an_idle_connection()
    {
        var throttle = await FiveIdleAsync();
        throttle.OnBroken();
        for (var i = 0; i < 4; i++) Assert.Equal(Admission.Idle, throttle.TryEnter());
        for (var i = 0; i < LoginThrottle.MostLogins; i++) Assert.Equal(Admission.Login, await AfterWaitingAsync(throttle));
        Assert.Equal(Admission.Wait, throttle.TryEnter());
        throttle.Leave();
        Assert.Equal(Admission.Idle, throttle.TryEnter());
        throttle.Leave();
        throttle.OnCleared();
        Assert.Equal(Admission.Wait, throttle.TryEnter());
    }

    [Fact]
    public async Task A_login_that_was_not_expected_shows_that_the_idle_connections_are_gone()
    {
        var throttle = await FiveIdleAsync();
        Assert.Equal(Admission.Idle, throttle.TryEnter());
        throttle.OnLoginStarted();
        Assert.Equal(Admission.Login, throttle.TryEnter());
        Assert.Equal(Admission.Wait, throttle.TryEnter());
        throttle.OnLoginEnded(isConnected: true);
        Assert.Equal(Admission.Wait, throttle.TryEnter());
        Assert.Equal(Admission.Login, await AfterWaitingAsync(throttle));
    }

    [Fact]
    public void A_connection_that_a_caller_opens_by_itself_counts_until_it_is_closed()
    {
        var throttle = Throttle(1);
        throttle.OnOpenedElsewhere();
        Assert.Equal(Admission.Wait, throttle.TryEnter());
        throttle.Leave();
        // It is idle from then on.
        Assert.Equal(Admission.Idle, throttle.TryEnter());
    }

    [Fact]
    public async Task However_many_callers_come_and_give_up_immediately_the_limit_holds_and_no_connection_is_lost()
    {
        const int Limit = 3;
        var throttle = new LoginThrottle(Limit, TimeProvider.System);
        var (inside, most, entered) = (0, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            for (var i = 0; i < 2_000; i++)
            {
                using var cancellation = new CancellationTokenSource();
                var entering = throttle.TryEnter() is var immediately and not Admission.Wait ? Task.FromResult(immediately) : throttle.EnterAsync(TimeSpan.FromSeconds(20), async: true, cancellation.Token);
                if (random.Next(3) == 0) await cancellation.CancelAsync();
                Admission admission;
                try
                {
                    admission = await entering;
                }
                catch (OperationCanceledException)
                {
                    continue;
                }

                if (admission == Admission.Login) throttle.OnLoginEnded(isConnected: random.Next(3) != 0);
                var now = Interlocked.Increment(ref inside);
                for (var seen = Volatile.Read(ref most); now > seen; seen = Volatile.Read(ref most)) Interlocked.CompareExchange(ref most, now, seen);
                Interlocked.Increment(ref entered);
                if (random.Next(4) == 0) await Task.Yield();
                Interlocked.Decrement(ref inside);
                throttle.Leave();
            }
        }, Ct)));

        Assert.InRange(most, 1, Limit);
        Assert.InRange(entered, 8_000, 16_000);
        for (var i = 0; i < Limit; i++)
        {
            if (await throttle.EnterAsync(TimeSpan.FromSeconds(20), async: true, Ct) == Admission.Login) throttle.OnLoginEnded(isConnected: true);
        }

        Assert.Equal(Admission.Wait, throttle.TryEnter());
        Assert.Equal(0, throttle.Waiting);
    }

    /// <summary>Three callers come for each connection that comes back.</summary>
    private async Task<LoginThrottle> OverloadedAsync(int limit, List<Task<Admission>> callers)
    {
        var throttle = await FullAsync(limit);
        for (var i = 0; i < 700; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            for (var j = 0; j < 3; j++) callers.Add(throttle.EnterAsync(s_timeout, async: true, Ct));
            throttle.Leave();
        }

        return throttle;
    }

    [Fact]
    [Trait("Failure", "B12")]
    public async Task A_line_that_stands_is_as_long_as_there_are_connections_and_the_next_caller_is_refused_at_once()
    {
        List<Task<Admission>> callers = [];
        var throttle = await OverloadedAsync(4, callers);
        Assert.InRange(throttle.Waiting, 1, 4);
        while (throttle.Waiting < 4) callers.Add(throttle.EnterAsync(s_timeout, async: true, Ct));
        var refused = throttle.EnterAsync(s_timeout, async: true, Ct);
        Assert.True(refused.IsCompleted);
        await Assert.ThrowsAsync<LineTooLongException>(() => refused);
        Assert.Throws<LineTooLongException>(() => Enter(throttle, s_timeout));
        Assert.Equal(4, throttle.Waiting);
    }

    [Fact]
    public async Task Once_the_line_is_empty_callers_wait_again()
    {
        List<Task<Admission>> callers = [];
        var throttle = await OverloadedAsync(4, callers);
        while (throttle.Waiting > 0) throttle.Leave();
        var late = Enumerable.Range(0, 50).Select(_ => throttle.EnterAsync(s_timeout, async: true, Ct)).ToList();
        Assert.Equal(50, throttle.Waiting);
        for (var i = 0; i < 50; i++) throttle.Leave();
        Assert.All(await Task.WhenAll(late), admission => Assert.Equal(Admission.Idle, admission));
    }

    [Fact]
    public async Task A_stalled_pool_refuses_no_caller_before_its_time()
    {
        var throttle = await FullAsync(4);
        List<Task<Admission>> callers = [];
        for (var i = 0; i < 1000; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            callers.Add(throttle.EnterAsync(s_timeout, async: true, Ct));
        }

        Assert.DoesNotContain(callers, caller => caller.IsCompleted);
        for (var i = 0; i < callers.Count; i++) throttle.Leave();
        Assert.All(await Task.WhenAll(callers), admission => Assert.Equal(Admission.Idle, admission));
    }
}
