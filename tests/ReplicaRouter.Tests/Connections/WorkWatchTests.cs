namespace ReplicaRouter.Tests.Connections;

public class WorkWatchTests
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource _work = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_ends_with_the_work()
    {
        var waiting = new WorkWatch(_work.Task).WaitAsync(Ct, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        _work.SetResult();
        await waiting.WaitAsync(s_bound, Ct);
        Assert.True(new WorkWatch(_work.Task).WaitAsync(Ct, CancellationToken.None).AsTask().IsCompleted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_ends_with_either_token_and_can_be_waited_for_again(bool isFirst)
    {
        var watch = new WorkWatch(_work.Task);
        using var source = new CancellationTokenSource();
        var waiting = isFirst ? watch.WaitAsync(source.Token, CancellationToken.None).AsTask() : watch.WaitAsync(CancellationToken.None, source.Token).AsTask();
        await source.CancelAsync();
        await waiting.WaitAsync(s_bound, Ct);
        Assert.True(watch.WaitAsync(source.Token, CancellationToken.None).AsTask().IsCompleted);

        waiting = watch.WaitAsync(CancellationToken.None, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        _work.SetException(new InvalidOperationException());
        await waiting.WaitAsync(s_bound, Ct);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _work.Task);
    }

    [Fact]
    public async Task Whatever_happens_in_the_same_moment_no_wait_is_left_behind()
    {
        for (var i = 0; i < 5_000; i++)
        {
            var work = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using CancellationTokenSource first = new(), second = new();
            var watch = new WorkWatch(work.Task);
            var waiting = Task.Run(async () =>
            {
                await watch.WaitAsync(first.Token, second.Token);
                await watch.WaitAsync(second.Token, CancellationToken.None);
                await watch.WaitAsync(CancellationToken.None, CancellationToken.None);
            }, Ct);
            await Task.WhenAll(Task.Run(first.Cancel, Ct), Task.Run(second.Cancel, Ct), Task.Run(work.SetResult, Ct));
            await waiting.WaitAsync(s_bound, Ct);
        }
    }
}
