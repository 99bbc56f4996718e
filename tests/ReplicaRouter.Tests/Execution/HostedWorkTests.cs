using Npgsql;

namespace ReplicaRouter.Tests.Execution;

public class HostedWorkTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static Task<int> RunAsync(Func<NpgsqlConnection, CancellationToken, Task<int>> work, CancellationToken givenUp, CancellationToken caller) =>
        HostedWork.RunAsync(new NpgsqlConnection(), new AsyncWork<Func<NpgsqlConnection, CancellationToken, Task<int>>, int>(static (connection, work, ct) => work(connection, ct), work), new CommandFlow(), TimeProvider.System, null, null, givenUp, caller).AsTask();

    [Fact]
    public async Task Work_ends_with_its_own_result_or_error()
    {
        Assert.Equal(7, await RunAsync((_, _) => Task.FromResult(7), CancellationToken.None, Ct));
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync((_, _) => throw new InvalidOperationException(), CancellationToken.None, Ct));
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(async (_, _) =>
        {
            await Task.Yield();
            throw new InvalidOperationException();
        }, CancellationToken.None, Ct));
    }

    [Fact]
    public async Task Work_on_a_lost_host_is_abandoned_at_once_and_cancelled_in_the_background()
    {
        using var lost = new CancellationTokenSource();
        var cancelled = new TaskCompletionSource();
        var running = RunAsync(async (_, stop) =>
        {
            // Npgsql, too, blocks the cancelling thread when the host hangs.
            using var held = stop.Register(() =>
            {
                cancelled.SetResult();
                Thread.Sleep(200);
            });
            await new TaskCompletionSource().Task;
            return 1;
        }, lost.Token, Ct);
        await lost.CancelAsync();
        await Assert.ThrowsAsync<HostLostException>(() => running);
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(10), Ct);
    }

    /// <summary>Npgsql sends the cancel request on the cancelling thread. A few blocked pool threads would stall the whole process.</summary>
    [Fact]
    public async Task A_callers_cancellation_never_runs_on_a_pool_thread()
    {
        using var caller = new CancellationTokenSource();
        var byPool = new TaskCompletionSource<bool>();
        var running = RunAsync(async (_, stop) =>
        {
            // Not disposed: the delay is cancelled first, so the work can end before this callback runs.
            stop.Register(() => byPool.SetResult(Thread.CurrentThread.IsThreadPoolThread));
            await Task.Delay(Timeout.Infinite, stop);
            return 1;
        }, CancellationToken.None, caller.Token);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.False(await byPool.Task.WaitAsync(TimeSpan.FromSeconds(10), Ct));
    }

    [Fact]
    public async Task Work_that_ends_while_its_host_is_lost_still_throws_HostLostException()
    {
        for (var i = 0; i < 1000; i++)
        {
            using var lost = new CancellationTokenSource();
            var running = RunAsync(async (_, stop) =>
            {
                await Task.Delay(Timeout.Infinite, stop);
                return 1;
            }, lost.Token, Ct);
            await lost.CancelAsync();
            await Assert.ThrowsAsync<HostLostException>(() => running);
        }
    }

    [Fact]
    public async Task A_caller_that_cancels_gets_its_own_token_after_the_work_has_ended()
    {
        using var caller = new CancellationTokenSource();
        var hasEnded = false;
        var running = RunAsync(async (_, stop) =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, stop);
            }
            finally
            {
                hasEnded = true;
            }

            return 1;
        }, CancellationToken.None, caller.Token);
        await caller.CancelAsync();
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(caller.Token, error.CancellationToken);
        Assert.True(hasEnded);
    }

    [Fact]
    public async Task Work_that_ignores_cancellation_delays_its_caller_only_briefly()
    {
        using var caller = new CancellationTokenSource();
        var running = RunAsync((_, _) => new TaskCompletionSource<int>().Task, CancellationToken.None, caller.Token);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromSeconds(10), Ct));
    }
}
