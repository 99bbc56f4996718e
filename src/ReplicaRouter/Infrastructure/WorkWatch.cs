using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace ReplicaRouter.Infrastructure;

/// <summary>Watches one run of work: waits for its end, or for it to be given up, whichever comes first.</summary>
/// <remarks>
/// Each run of work needs one, so they are used again, and with them what is registered with the work's token: waiting for a task with a token
/// costs a dozen objects, a source of cancellation another four.
/// </remarks>
internal sealed class WorkWatch : IValueTaskSource
{
    private static readonly Action<object?> s_wake = static watch => ((WorkWatch)watch!).Wake(isAlarm: true);

    [ThreadStatic]
    private static WorkWatch? t_spare;

    private readonly Action _onEnded;
    private ManualResetValueTaskSourceCore<bool> _core;
    private volatile bool _hasEnded;

    // 1 while there is no wait to be woken, as before the first one.
    private int _isAwake = 1;

    private WorkWatch() => _onEnded = OnEnded;

    /// <summary>Stops the work.</summary>
    public CancellationTokenSource Stop { get; } = new();

    /// <summary>Whether the work has ended, well or not.</summary>
    public bool HasEnded => _hasEnded;

    public static WorkWatch Rent()
    {
        var watch = t_spare ?? new WorkWatch();
        (t_spare, watch._hasEnded) = (null, false);
        return watch;
    }

    /// <summary>Lets another run use it, if the work has ended without being stopped.</summary>
    public void Return()
    {
        if (_hasEnded && Stop.TryReset()) t_spare = this;
    }

    /// <summary>Watches work that has been begun. Once for each run.</summary>
    /// <returns>What has the result once the work has ended.</returns>
    public ConfiguredValueTaskAwaitable<T>.ConfiguredValueTaskAwaiter Watch<T>(ValueTask<T> work)
    {
        var running = work.ConfigureAwait(false).GetAwaiter();
        if (running.IsCompleted) _hasEnded = true;
        else running.UnsafeOnCompleted(_onEnded);
        return running;
    }

    /// <summary>Waits until the work has ended, or one of two tokens is cancelled. One caller at a time.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WaitAsync(CancellationToken first, CancellationToken second)
    {
        while (!_hasEnded && !first.IsCancellationRequested && !second.IsCancellationRequested)
        {
            // Before it is registered: a token that is cancelled already wakes it at once.
            var waiting = Begin();
            var (one, other) = (first.UnsafeRegister(s_wake, this), second.UnsafeRegister(s_wake, this));
            await waiting.ConfigureAwait(false);
            // Not by disposing of them, which waits for a callback that runs. One that comes late wakes the next wait, which looks again.
            one.Unregister();
            other.Unregister();
        }
    }

    /// <summary>Waits for the end of the work for some time.</summary>
    /// <returns>Whether it has ended.</returns>
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
        // A full fence: the look at the work must not come before it.
        Interlocked.Exchange(ref _isAwake, 0);
        // Work that has ended in between may have found it awake, and would never wake it. Where it is being woken at this moment, that is waited for.
        return _hasEnded && Interlocked.Exchange(ref _isAwake, 1) == 0 ? default : new ValueTask(this, _core.Version);
    }

    private void OnEnded()
    {
        _hasEnded = true;
        Wake(isAlarm: false);
    }

    private void Wake(bool isAlarm)
    {
        if (Interlocked.Exchange(ref _isAwake, 1) != 0) return;
        // The end of the work goes on with its caller. An alarm has others to wake.
        _core.RunContinuationsAsynchronously = isAlarm;
        _core.SetResult(true);
    }
}
