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
    public async Task It_ends_with_the_work()
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
    public async Task It_ends_with_either_token_and_can_be_waited_for_again(bool isFirst)
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
    public async Task A_wait_for_some_time_says_whether_the_work_has_ended()
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
    public async Task Whatever_happens_in_the_same_moment_no_wait_is_left_behind()
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
                // Used again at once, while an alarm may still be about to wake it.
                watch.Return();
            }, Ct);
            await Task.WhenAll(Task.Run(first.Cancel, Ct), Task.Run(second.Cancel, Ct), Task.Run(() => work.SetResult(i), Ct));
            await waiting.WaitAsync(s_bound, Ct);
        }
    }

    [Fact]
    public void A_watch_that_is_used_again_stops_only_what_it_watches_now()
    {
        _work.SetResult(1);
        var watch = Watching(_work);
        using var registered = watch.Stop.Token.Register(() => Assert.Fail("Work that had ended was stopped."));
        watch.Return();
        Assert.Same(watch, WorkWatch.Rent());
        watch.Stop.Cancel();
    }

    [Fact]
    public void A_watch_is_not_used_again_while_its_work_goes_on_nor_once_it_was_stopped()
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
