namespace ReplicaRouter.Infrastructure;

/// <summary>The system's time, with timers that end short waits to the millisecond.</summary>
/// <remarks>
/// The runtime's timers use a clock that advances every 4 ms on most Linux machines (HZ=250), so a wait of 1 ms takes 4 to 8 ms. One thread serves all short waits of the
/// process, and sleeps while there are none.
/// </remarks>
internal sealed class PreciseTime : TimeProvider
{
    /// <summary>The runtime handles waits from this length on; a few ms make no difference to them.</summary>
    private static readonly TimeSpan s_long = TimeSpan.FromMilliseconds(50);

    private static readonly PreciseTime s_shared = new();

    private readonly PriorityQueue<ITimer, long> _timers = new();
    private readonly object _lock = new();
    private Thread? _thread;

    private PreciseTime() { }

    /// <summary>Returns the precise variant of the system's time; any other provider unchanged.</summary>
    public static TimeProvider Of(TimeProvider time) => ReferenceEquals(time, System) ? s_shared : time;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime <= TimeSpan.Zero || dueTime >= s_long || period != Timeout.InfiniteTimeSpan) return base.CreateTimer(callback, state, dueTime, period);
        var timer = base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
        lock (_lock)
        {
            _timers.Enqueue(timer, GetTimestamp() + this.Ticks(dueTime));
            if (_thread is null) (_thread = new Thread(Serve) { IsBackground = true, Name = "ReplicaRouter short waits" }).Start();
            // Otherwise the thread wakes early enough anyway.
            else if (ReferenceEquals(_timers.Peek(), timer)) Monitor.Pulse(_lock);
        }

        return timer;
    }

    private void Serve()
    {
        // The runtime fires a timer that is due at once. A disposed timer stays queued for a short time and does nothing.
        while (true) NextDue().Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private ITimer NextDue()
    {
        lock (_lock)
        {
            while (true)
            {
                if (!_timers.TryPeek(out _, out var due))
                {
                    Monitor.Wait(_lock);
                    continue;
                }

                var left = GetElapsedTime(GetTimestamp(), due);
                if (left <= TimeSpan.Zero) return _timers.Dequeue();
                Monitor.Wait(_lock, (int)Math.Ceiling(left.TotalMilliseconds));
            }
        }
    }
}
