using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Infrastructure;

public class WorkWatchTests
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource<int> _work = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static WorkWatch Watching(TaskCompletionSource<int> work)
    {
        var watch = WorkWatch.Rent();
        watch.Watch(new ValueTask<int>(work.Task));
        return watch;
    }

    [Fact]
    public async Task A_wait_ends_with_the_work()
    {
        var watch = Watching(_work);
        var waiting = watch.WaitAsync(Ct, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        _work.SetResult(1);
        await waiting.WaitAsync(s_bound, Ct);
        Assert.True(watch.HasEnded);
        Assert.True(Watching(_work).HasEnded);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_wait_ends_with_either_token_and_can_be_repeated(bool isFirst)
    {
        var watch = Watching(_work);
        using var source = new CancellationTokenSource();
        var waiting = isFirst ? watch.WaitAsync(source.Token, CancellationToken.None).AsTask() : watch.WaitAsync(CancellationToken.None, source.Token).AsTask();
        await source.CancelAsync();
        await waiting.WaitAsync(s_bound, Ct);
        Assert.True(watch.WaitAsync(source.Token, CancellationToken.None).AsTask().IsCompleted);

        waiting = watch.WaitAsync(CancellationToken.None, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        _work.SetException(new InvalidOperationException());
        await waiting.WaitAsync(s_bound, Ct);
        Assert.True(watch.HasEnded);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _work.Task);
    }

    [Fact]
    public async Task A_timed_wait_returns_whether_the_work_has_ended()
    {
        var (watch, time) = (Watching(_work), new FakeTimeProvider());
        var waiting = watch.EndsWithinAsync(TimeSpan.FromSeconds(1), time, Ct);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(await waiting.WaitAsync(s_bound, Ct));

        waiting = watch.EndsWithinAsync(TimeSpan.FromSeconds(1), time, Ct);
        _work.SetResult(1);
        Assert.True(await waiting.WaitAsync(s_bound, Ct));
    }

    [Fact]
    public async Task No_wait_hangs_when_the_work_and_both_tokens_end_at_once()
    {
        for (var i = 0; i < 5_000; i++)
        {
            var work = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            using CancellationTokenSource first = new(), second = new();
            var waiting = Task.Run(async () =>
            {
                var watch = Watching(work);
                await watch.WaitAsync(first.Token, second.Token);
                await watch.WaitAsync(second.Token, CancellationToken.None);
                await watch.WaitAsync(CancellationToken.None, CancellationToken.None);
                // The watch is reused at once, while a token's callback can still be about to wake it.
                watch.Return();
            }, Ct);
            await Task.WhenAll(Task.Run(first.Cancel, Ct), Task.Run(second.Cancel, Ct), Task.Run(() => work.SetResult(i), Ct));
            await waiting.WaitAsync(s_bound, Ct);
        }
    }

    [Fact]
    public void A_reused_watch_stops_only_its_current_work()
    {
        _work.SetResult(1);
        var watch = Watching(_work);
        using var registered = watch.Stop.Token.Register(() => Assert.Fail("Stopped work that had already ended."));
        watch.Return();
        Assert.Same(watch, WorkWatch.Rent());
        watch.Stop.Cancel();
    }

    [Fact]
    public void A_watch_is_not_reused_while_its_work_runs_or_after_it_was_stopped()
    {
        var watch = Watching(_work);
        watch.Return();
        Assert.NotSame(watch, WorkWatch.Rent());
        _work.SetResult(1);
        watch.Stop.Cancel();
        watch.Return();
        Assert.NotSame(watch, WorkWatch.Rent());
    }
}
