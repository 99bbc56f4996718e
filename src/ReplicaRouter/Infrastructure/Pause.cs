namespace ReplicaRouter.Infrastructure;

/// <summary>The pauses of one loop, which can be cut short. The loop goes on in the clock's timer callback, never on the thread that calls <see cref="Cut"/>.</summary>
internal sealed class Pause : IDisposable
{
    private readonly ITimer _timer;
    private TaskCompletionSource<bool>? _waiting;
    private bool _isCut;

    public Pause(TimeProvider time) =>
        _timer = time.CreateTimer(static pause => ((Pause)pause!).End(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Waits for a time span, or not at all if it was cut before. Returns whether it was cut.</summary>
    public Task<bool> OfAsync(TimeSpan length)
    {
        var waiting = new TaskCompletionSource<bool>();
        Volatile.Write(ref _waiting, waiting);
        _timer.Change(length, Timeout.InfiniteTimeSpan);
        // A cut from before set the timer to zero, which the line above undid.
        if (Volatile.Read(ref _isCut)) _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        return waiting.Task;
    }

    /// <summary>Ends the pause in progress, or else the next one.</summary>
    public void Cut()
    {
        if (!Interlocked.Exchange(ref _isCut, true)) _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();

    private void End() => Interlocked.Exchange(ref _waiting, null)?.SetResult(Interlocked.Exchange(ref _isCut, false));
}
