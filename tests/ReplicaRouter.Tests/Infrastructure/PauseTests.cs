using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Infrastructure;

public sealed class PauseTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Pause _pause;

    public PauseTests() => _pause = new Pause(_time);

    public void Dispose() => _pause.Dispose();

    [Fact]
    public async Task It_lasts_as_long_as_it_is_to()
    {
        var pause = _pause.OfAsync(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.False(pause.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.False(await pause);
    }

    [Fact]
    public async Task Cut_short_it_ends_at_once_and_the_next_one_lasts_again()
    {
        var pause = _pause.OfAsync(TimeSpan.FromSeconds(1));
        _pause.Cut();
        Assert.True(await pause);
        Assert.False(_pause.OfAsync(TimeSpan.FromSeconds(1)).IsCompleted);
    }

    [Fact]
    public async Task Cut_short_before_it_began_it_does_not_begin()
    {
        _pause.Cut();
        Assert.True(await _pause.OfAsync(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task Whoever_cuts_it_short_does_not_run_what_comes_after()
    {
        using var pause = new Pause(TimeProvider.System);
        var goesOnAt = GoOnAsync(pause);
        var cutter = 0;
        // A thread of its own, that is no pool thread and so can't be the one on which timers fire.
        var thread = new Thread(() =>
        {
            cutter = Environment.CurrentManagedThreadId;
            pause.Cut();
        });
        thread.Start();
        thread.Join();
        Assert.NotEqual(cutter, await goesOnAt.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));

        static async Task<int> GoOnAsync(Pause pause)
        {
            await pause.OfAsync(TimeSpan.FromMinutes(1)).ConfigureAwait(false);
            return Environment.CurrentManagedThreadId;
        }
    }
}
