using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace ReplicaRouter;

/// <summary>Waits for work to end, or to be given up, whichever comes first. It costs each run of work one object, where waiting for a task with a token costs a dozen.</summary>
internal sealed class WorkWatch : IValueTaskSource
{
    private static readonly Action<object?> s_wake = static watch => ((WorkWatch)watch!).Wake(isAlarm: true);

    private readonly Task _work;
    private ManualResetValueTaskSourceCore<bool> _core;

    // 1 while there is no wait to be woken, as before the first one.
    private int _isAwake = 1;

    /// <param name="work">The work, under way.</param>
    public WorkWatch(Task work)
    {
        _work = work;
        if (!work.IsCompleted) work.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(() => Wake(isAlarm: false));
    }

    /// <summary>Waits until the work has ended, or one of two tokens is cancelled. One caller at a time.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WaitAsync(CancellationToken first, CancellationToken second)
    {
        while (!_work.IsCompleted && !first.IsCancellationRequested && !second.IsCancellationRequested)
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

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    private ValueTask Begin()
    {
        _core.Reset();
        // A full fence: the look at the work must not come before it.
        Interlocked.Exchange(ref _isAwake, 0);
        // Work that has ended in between has found it awake, and wakes it no more.
        return _work.IsCompleted ? default : new ValueTask(this, _core.Version);
    }

    private void Wake(bool isAlarm)
    {
        if (Interlocked.Exchange(ref _isAwake, 1) != 0) return;
        // The end of the work goes on with its caller. An alarm has others to wake.
        _core.RunContinuationsAsynchronously = isAlarm;
        _core.SetResult(true);
    }
}
