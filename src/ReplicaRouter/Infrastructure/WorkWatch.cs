using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace ReplicaRouter.Infrastructure;

/// <summary>Watches one execution of work: waits until it ends or must be abandoned.</summary>
/// <remarks>
/// Each execution needs one, so they are reused, together with the registrations of their tokens: waiting for a task with a token costs a dozen objects, a cancellation
/// source another four.
/// </remarks>
internal sealed class WorkWatch : IValueTaskSource
{
    private static readonly Action<object?> s_wake = static watch => ((WorkWatch)watch!).Wake(isSignal: true);

    [ThreadStatic]
    private static WorkWatch? t_spare;

    private readonly Action _onEnded;
    private ManualResetValueTaskSourceCore<bool> _core;
    private volatile bool _hasEnded;

    // 1 while there is no wait to wake, as before the first one.
    private int _isAwake = 1;

    private WorkWatch() => _onEnded = OnEnded;

    public CancellationTokenSource Stop { get; } = new();

    public bool HasEnded => _hasEnded;

    public static WorkWatch Rent()
    {
        var watch = t_spare ?? new WorkWatch();
        (t_spare, watch._hasEnded) = (null, false);
        return watch;
    }

    /// <summary>Makes it available for reuse, if the work has ended without being stopped.</summary>
    public void Return()
    {
        if (_hasEnded && Stop.TryReset()) t_spare = this;
    }

    /// <summary>Watches work that has started. Must be called once per execution.</summary>
    /// <returns>An awaiter that has the result once the work has ended.</returns>
    public ConfiguredValueTaskAwaitable<T>.ConfiguredValueTaskAwaiter Watch<T>(ValueTask<T> work)
    {
        var running = work.ConfigureAwait(false).GetAwaiter();
        if (running.IsCompleted) _hasEnded = true;
        else running.UnsafeOnCompleted(_onEnded);
        return running;
    }

    /// <summary>Waits until the work has ended or one of two tokens is cancelled. For one caller at a time.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WaitAsync(CancellationToken first, CancellationToken second)
    {
        while (!_hasEnded && !first.IsCancellationRequested && !second.IsCancellationRequested)
        {
            // Before the registrations: a token that is already cancelled wakes it at once.
            var waiting = Begin();
            var (one, other) = (first.UnsafeRegister(s_wake, this), second.UnsafeRegister(s_wake, this));
            await waiting.ConfigureAwait(false);
            // Dispose would wait for a callback that is running. A late callback wakes the next wait, which checks again.
            one.Unregister();
            other.Unregister();
        }
    }

    /// <summary>Waits up to a limit. Returns whether the work has ended.</summary>
    public async Task<bool> EndsWithinAsync(TimeSpan limit, TimeProvider time, CancellationToken stop)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        await WaitAsync(timeout.Token, stop).ConfigureAwait(false);
        return _hasEnded;
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    private ValueTask Begin()
    {
        _core.Reset();
        // A full fence: _hasEnded must not be read before this write.
        Interlocked.Exchange(ref _isAwake, 0);
        // Work that ended in between can have seen _isAwake as 1, and would never wake this wait. If it is waking it right now, wait for that.
        return _hasEnded && Interlocked.Exchange(ref _isAwake, 1) == 0 ? default : new ValueTask(this, _core.Version);
    }

    private void OnEnded()
    {
        _hasEnded = true;
        Wake(isSignal: false);
    }

    private void Wake(bool isSignal)
    {
        if (Interlocked.Exchange(ref _isAwake, 1) != 0) return;
        // The end of the work continues its caller inline. An alarm has other waiters to wake.
        _core.RunContinuationsAsynchronously = isSignal;
        _core.SetResult(true);
    }
}
