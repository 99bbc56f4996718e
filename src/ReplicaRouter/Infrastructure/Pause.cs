namespace ReplicaRouter.Infrastructure;

/// <summary>Pauses of one loop, each of which may be cut short. The loop goes on where the clock's timers fire, never on the thread that cuts.</summary>
internal sealed class Pause : IDisposable
{
    private readonly ITimer _timer;
    private TaskCompletionSource<bool>? _waiting;
    private bool _isCut;

    public Pause(TimeProvider time) =>
        _timer = time.CreateTimer(static pause => ((Pause)pause!).End(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Waits for some time, or not at all when it was cut short before, and says whether it was.</summary>
    public Task<bool> OfAsync(TimeSpan length)
    {
        var waiting = new TaskCompletionSource<bool>();
        Volatile.Write(ref _waiting, waiting);
        _timer.Change(length, Timeout.InfiniteTimeSpan);
        // Whoever cut it before the timer was set has set it in vain.
        if (Volatile.Read(ref _isCut)) _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        return waiting.Task;
    }

    /// <summary>Ends the pause under way, else the next one.</summary>
    public void Cut()
    {
        if (!Interlocked.Exchange(ref _isCut, true)) _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();

    private void End() => Interlocked.Exchange(ref _waiting, null)?.SetResult(Interlocked.Exchange(ref _isCut, false));
}
