namespace ReplicaRouter.Simulation;

/// <summary>The virtual clock of one application process. Its timers stand still while the process is paused, as by a garbage collection.</summary>
internal sealed class VirtualClock(EventQueue events) : TimeProvider
{
    private long _pausedUntil;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    // Not from 0: a timestamp of 0 means "never" in places.
    private static readonly long s_start = TimeSpan.FromHours(1).Ticks;

    public override long GetTimestamp() => s_start + events.Now;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(events.Now);

    /// <summary>Pauses the process. Its events during the pause happen at the end of it.</summary>
    public void StandStill(TimeSpan length) => _pausedUntil = Math.Max(_pausedUntil, events.Now + length.Ticks);

    /// <summary>Schedules an event in the process.</summary>
    public void At(long time, Action action) => events.At(time, action, this);

    public void After(TimeSpan delay, Action action) => At(events.Now + delay.Ticks, action);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Runs an action now, or when the process resumes.</summary>
    public void Do(Action action)
    {
        if (events.Now < _pausedUntil) events.At(_pausedUntil, action, this);
        else action();
    }

    private sealed class Timer(VirtualClock clock, TimerCallback callback, object? state) : ITimer
    {
        private int _version;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var version = ++_version;
            if (dueTime >= TimeSpan.Zero) clock.After(dueTime, () => Fire(version, period));
            return true;
        }

        public void Dispose() => _version++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire(int version, TimeSpan period)
        {
            if (version != _version) return;
            if (period > TimeSpan.Zero) clock.After(period, () => Fire(version, period));
            callback(state);
        }
    }
}
