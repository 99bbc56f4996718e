using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Execution;

public class HedgingTests
{
    private static readonly TimeSpan s_usual = TimeSpan.FromMilliseconds(2);

    private readonly FakeTimeProvider _time = new();
    private readonly RouterConfiguration _configuration = new TestTopology("primary", "analytics", "background").Configuration;
    private readonly RoutingCounters _counters;
    private readonly Hedging _hedging;
    private readonly TaskCompletionSource<string> _first = new();
    private Attempt? _firstAttempt;
    private CancellationToken _stop;

    public HedgingTests()
    {
        _counters = new RoutingCounters(_configuration.Routes, []);
        _hedging = new Hedging(_configuration.Routes, _counters, _time);
    }

    private (long Hedges, long Won) Counted => (_counters[RouterEvent.Hedge], _counters[RouterEvent.HedgeWon]);

    private Attempt NewRead() => new(_configuration.PlanOf(DatabaseOperation.Read), default, null, _time) { Host = _configuration.Hosts[1] };

    /// <summary>Runs reads from which the policy learns the usual duration.</summary>
    private async Task LearnAsync(TimeSpan usual)
    {
        for (var i = 0; i < 20; i++)
        {
            await _hedging.RunAsync(NewRead(), (_, _) =>
            {
                _time.Advance(usual);
                return Task.FromResult("usual");
            }, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Runs a read whose first attempt is slow and whose hedge answers at once.</summary>
    private async Task ReadAsync(TimeSpan usual)
    {
        await LearnAsync(usual);
        _firstAttempt = NewRead();
        var read = _hedging.RunAsync(_firstAttempt, (attempt, stop) =>
        {
            if (attempt != _firstAttempt) return Task.FromResult("second");
            _stop = stop;
            return _first.Task;
        }, TestContext.Current.CancellationToken);
        _time.Advance(2 * usual);
        Assert.Equal("second", await read);
    }

    [Fact]
    public async Task A_first_attempt_that_ends_right_after_its_hedge_is_not_stopped()
    {
        await ReadAsync(s_usual);
        Assert.False(_stop.IsCancellationRequested);
        _first.SetResult("first");
        _time.Advance(2 * s_usual);
        Assert.False(_firstAttempt!.IsBeaten);
    }

    [Fact]
    public async Task A_first_attempt_that_goes_on_after_its_hedge_is_stopped()
    {
        await ReadAsync(s_usual);
        var stopped = new TaskCompletionSource();
        using var _ = _stop.Register(stopped.SetResult);
        _time.Advance(2 * s_usual);
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.True(_firstAttempt!.IsBeaten);
    }

    [Fact]
    public async Task When_reads_are_long_a_beaten_attempt_is_stopped_at_once()
    {
        await ReadAsync(5 * s_usual);
        Assert.True(_firstAttempt!.IsBeaten);
        Assert.True(_stop.IsCancellationRequested);
    }

    [Fact]
    public async Task A_slow_hedge_is_followed_by_one_more_on_another_host_and_no_further_ones()
    {
        await LearnAsync(s_usual);
        List<Attempt> attempts = [];
        List<TaskCompletionSource<string>> runs = [];
        var read = _hedging.RunAsync(NewRead(), (attempt, _) =>
        {
            attempt.Host ??= _configuration.Hosts[attempts.Count == 1 ? 2 : 0];
            attempts.Add(attempt);
            runs.Add(new TaskCompletionSource<string>());
            return runs[^1].Task;
        }, TestContext.Current.CancellationToken);
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(2 * s_usual);
            await Eventually(() => runs.Count >= Math.Min(i + 2, 3));
        }

        Assert.Equal(3, runs.Count);
        Assert.Equal(attempts[0].Host!.Bit | attempts[1].Host!.Bit, attempts[2].Request(default, _time).Excluded);
        runs[2].SetResult("third");
        Assert.Equal("third", await read);
        _time.Advance(2 * s_usual);
        await Eventually(() => attempts[0].IsBeaten && attempts[1].IsBeaten);
        Assert.False(attempts[2].IsBeaten || attempts[2].IsStopped);
        Assert.Equal(3, runs.Count);
    }

    [Fact]
    public async Task A_hedge_without_an_eligible_host_starts_once_a_host_becomes_eligible()
    {
        await LearnAsync(s_usual);
        var (asked, mayServe) = (0, false);
        for (var i = 0; i < 10; i++)
        {
            (asked, mayServe) = (0, false);
            var (slow, answer) = (NewRead(), new TaskCompletionSource<string>());
            var read = _hedging.RunAsync(slow, (attempt, _) =>
            {
                if (attempt == slow) return answer.Task;
                asked++;
                if (!mayServe) return Task.FromException<string>(new NoEligibleHostException("read", []));
                attempt.Host = _configuration.Hosts[2];
                return Task.FromResult("second");
            }, TestContext.Current.CancellationToken);
            await PassUntil(() => asked >= 5);
            mayServe = true;
            await PassUntil(() => read.IsCompleted);
            Assert.Equal("second", await read);
        }

        // The pauses get longer.
        Assert.InRange(asked, 6, 20);
    }

    [Fact]
    public async Task Failed_hedges_are_charged_their_own_time_and_not_that_of_the_first_attempt()
    {
        await LearnAsync(s_usual);
        var (slow, asked) = (NewRead(), 0);
        var read = HedgedAsync(slow, attempt =>
        {
            asked++;
            return FailsAsync(attempt);
        });
        await PassUntil(() => asked == HedgePolicy.MaxHedges);
        _time.Advance(TimeSpan.FromMinutes(1));
        _first.SetResult("first");
        Assert.Equal("first", await read);

        var next = NewRead();
        var nextRead = _hedging.RunAsync(next, (attempt, _) => attempt == next ? new TaskCompletionSource<string>().Task : Task.FromResult("second"), TestContext.Current.CancellationToken);
        await PassUntil(() => nextRead.IsCompleted);
        Assert.Equal("second", await nextRead);
    }

    [Fact]
    public async Task A_late_wake_up_waits_again_because_the_process_stalled_and_not_the_read()
    {
        await LearnAsync(s_usual);
        var (slow, secondAt, from) = (NewRead(), TimeSpan.Zero, _time.GetTimestamp());
        var read = HedgedAsync(slow, attempt =>
        {
            secondAt = _time.GetElapsedTime(from);
            return Task.FromResult("second");
        });
        _time.Advance(10 * s_usual);
        await PassUntil(() => read.IsCompleted);
        Assert.True(secondAt > 14 * s_usual, $"{secondAt.TotalMilliseconds} ms");
    }

    [Fact]
    public async Task A_hedge_that_answers_first_counts_as_won()
    {
        await ReadAsync(5 * s_usual);
        Assert.Equal((1L, 1L), Counted);
    }

    [Fact]
    public async Task A_hedge_is_stopped_and_not_beaten_when_the_first_attempt_answers_before_it()
    {
        await LearnAsync(5 * s_usual);
        List<Attempt> hedges = [];
        var slow = NewRead();
        var read = HedgedAsync(slow, attempt =>
        {
            hedges.Add(attempt);
            return new TaskCompletionSource<string>().Task;
        });
        await PassUntil(() => hedges.Count > 0);
        _first.SetResult("first");
        Assert.Equal("first", await read);
        Assert.All(hedges, hedge => Assert.Equal((true, false), (hedge.IsStopped, hedge.IsBeaten)));
        Assert.Equal((false, false), (slow.IsStopped, slow.IsBeaten));
        Assert.Equal(((long)hedges.Count, 0L), Counted);
    }

    [Fact]
    public async Task When_all_attempts_fail_the_caller_gets_the_error_of_the_first()
    {
        await LearnAsync(s_usual);
        var (slow, asked) = (NewRead(), 0);
        var read = HedgedAsync(slow, attempt =>
        {
            asked++;
            return FailsAsync(attempt);
        });
        await PassUntil(() => asked == HedgePolicy.MaxHedges);
        _first.SetException(new InvalidOperationException());
        await Assert.ThrowsAsync<InvalidOperationException>(() => read);
        Assert.Equal((2L, 0L), Counted);
    }

    [Fact]
    public async Task A_hedge_that_found_no_host_is_not_counted()
    {
        await LearnAsync(s_usual);
        var (slow, asked) = (NewRead(), 0);
        var read = HedgedAsync(slow, attempt =>
        {
            asked++;
            return Task.FromException<string>(new NoEligibleHostException("read", []));
        });
        await PassUntil(() => asked >= 3);
        _first.SetResult("first");
        Assert.Equal("first", await read);
        Assert.Equal((0L, 0L), Counted);
    }

    [Fact]
    public async Task A_read_that_still_waits_for_a_host_is_not_hedged()
    {
        await LearnAsync(s_usual);
        var (waiting, asked) = (NewRead(), 0);
        waiting.Host = null;
        var read = HedgedAsync(waiting, attempt =>
        {
            asked++;
            return Task.FromResult("second");
        });
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(s_usual);
            await Task.Yield();
        }

        _first.SetResult("first");
        Assert.Equal("first", await read);
        Assert.Equal(0, asked);
    }

    /// <summary>Runs a read whose first attempt is <see cref="_first"/>.</summary>
    private Task<string> HedgedAsync(Attempt slow, Func<Attempt, Task<string>> hedge) =>
        _hedging.RunAsync(slow, (attempt, _) => attempt == slow ? _first.Task : hedge(attempt), TestContext.Current.CancellationToken);

    private Task<string> FailsAsync(Attempt hedge)
    {
        hedge.Host = _configuration.Hosts[2];
        return Task.FromException<string>(new TimeoutException());
    }

    /// <summary>Advances the clock in steps until the condition holds.</summary>
    private Task PassUntil(Func<bool> condition) => Eventually(() =>
    {
        _time.Advance(s_usual / 2);
        return condition();
    });

    private static async Task Eventually(Func<bool> condition)
    {
        var bound = TimeProvider.System.GetTimestamp();
        while (!condition() && TimeProvider.System.GetElapsedTime(bound) < TimeSpan.FromSeconds(10)) await Task.Yield();
        Assert.True(condition());
    }
}
