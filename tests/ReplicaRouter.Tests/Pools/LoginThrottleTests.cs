using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Pools;

public class LoginThrottleTests
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private LoginThrottle Throttle(int limit) => new(limit, _time);

    /// <summary>Returns a pool with all connections in use.</summary>
    private async Task<LoginThrottle> FullAsync(int limit)
    {
        var throttle = Throttle(limit);
        for (var i = 0; i < limit; i++) await ConnectAsync(throttle);
        Assert.Equal(Admission.Wait, throttle.TryEnter());
        return throttle;
    }

    /// <summary>Leases a connection, queueing for it if necessary.</summary>
    private async Task ConnectAsync(LoginThrottle throttle)
    {
        var admission = throttle.TryEnter();
        if (admission == Admission.Wait) admission = await AfterWaitingAsync(throttle);
        if (admission == Admission.Login) throttle.OnLoginEnded(isConnected: true);
    }

    /// <summary>Queues a caller for as long as a login costs.</summary>
    private async Task<Admission> AfterWaitingAsync(LoginThrottle throttle)
    {
        var turn = throttle.EnterAsync(s_timeout, async: true, Ct);
        _time.Advance(LoginThrottle.LoginCost);
        return await turn;
    }

    /// <summary>Queues a caller for the only connection, which is returned after a tenth of a login's cost.</summary>
    private async Task WaitBrieflyAsync(LoginThrottle throttle)
    {
        var turn = throttle.EnterAsync(s_timeout, async: true, Ct);
        _time.Advance(LoginThrottle.LoginCost / 10);
        throttle.Leave();
        Assert.Equal(Admission.Idle, await turn);
    }

    /// <summary>Queues a caller that blocks its own thread.</summary>
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
    public async Task A_pool_leases_as_many_connections_as_its_limit(int limit)
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
    public async Task Waiters_are_served_in_order_of_arrival()
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
    public async Task Synchronous_callers_share_the_queue()
    {
        var throttle = await FullAsync(1);
        Assert.Throws<TimeoutException>(() => Enter(throttle, TimeSpan.FromMilliseconds(1)));
        var waiting = Task.Factory.StartNew(() => Enter(throttle, TimeSpan.FromSeconds(20)), Ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        throttle.Leave();
        Assert.Equal(Admission.Idle, await waiting);
        Assert.Equal(Admission.Wait, throttle.TryEnter());
    }

    [Fact]
    public async Task A_waiter_that_times_out_leaks_no_connection()
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
    public async Task The_turn_of_a_cancelled_waiter_passes_to_the_next_one()
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
    public async Task A_few_callers_log_in_at_once_and_the_others_get_returned_connections()
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
    public async Task No_waiter_logs_in_until_the_queue_has_waited_as_long_as_a_login_costs()
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
    public async Task Repeated_short_waits_add_up_to_a_login()
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
    public async Task A_slow_login_allows_another_one()
    {
        var throttle = Throttle(10);
        for (var i = 0; i < LoginThrottle.MostLogins; i++) throttle.TryEnter();
        var waiting = throttle.EnterAsync(s_timeout, async: true, Ct);
        throttle.OnSlowLogin();
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
    public async Task Logins_in_progress_do_not_block_callers_from_idle_connections()
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
    public async Task An_unexpected_login_shows_that_the_idle_connections_are_gone()
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
    public void A_connection_opened_outside_the_router_counts_until_it_is_closed()
    {
        var throttle = Throttle(1);
        throttle.OnOpenedOutsideRouter();
        Assert.Equal(Admission.Wait, throttle.TryEnter());
        throttle.Leave();
        // The pool keeps the closed connection as an idle one.
        Assert.Equal(Admission.Idle, throttle.TryEnter());
    }

    [Fact]
    public async Task The_limit_holds_and_no_connection_leaks_when_many_callers_cancel()
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

    /// <summary>Overloads the pool: three callers arrive for each returned connection.</summary>
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
    public async Task A_standing_queue_is_capped_at_the_pool_size_and_refuses_further_callers()
    {
        List<Task<Admission>> callers = [];
        var throttle = await OverloadedAsync(4, callers);
        Assert.InRange(throttle.Waiting, 1, 4);
        while (throttle.Waiting < 4) callers.Add(throttle.EnterAsync(s_timeout, async: true, Ct));
        var refused = throttle.EnterAsync(s_timeout, async: true, Ct);
        Assert.True(refused.IsCompleted);
        await Assert.ThrowsAsync<QueueFullException>(() => refused);
        Assert.Throws<QueueFullException>(() => Enter(throttle, s_timeout));
        Assert.Equal(4, throttle.Waiting);
    }

    [Fact]
    public async Task Once_the_queue_is_empty_callers_can_queue_again()
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
    public async Task A_stalled_pool_refuses_no_waiter_before_its_time_out()
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
