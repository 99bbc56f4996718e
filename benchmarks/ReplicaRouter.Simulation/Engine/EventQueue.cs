namespace ReplicaRouter.Simulation;

/// <summary>The future events, ordered by time; events at the same time keep the order in which they were scheduled.</summary>
internal sealed class EventQueue
{
    private readonly PriorityQueue<Planned, Moment> _events = new();
    private long _planned;

    /// <summary>The virtual time, in ticks of 100 ns.</summary>
    public long Now { get; private set; }

    /// <summary>Number of events so far.</summary>
    public long Count { get; private set; }

    /// <param name="time">When the event happens; later if its process is paused then.</param>
    /// <param name="action">The event.</param>
    /// <param name="process">The clock of the event's process, if it has one.</param>
    public void At(long time, Action action, VirtualClock? process = null) => _events.Enqueue(new Planned(action, process), new Moment(Math.Max(time, Now), _planned++));

    public void After(TimeSpan delay, Action action) => At(Now + delay.Ticks, action);

    public void RunUntil(long end)
    {
        // Without a synchronization context, an await continues on this thread, within the event that completes it.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            RunEventsUntil(end);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    private void RunEventsUntil(long end)
    {
        while (_events.TryPeek(out var planned, out var next) && next.At < end)
        {
            _events.Dequeue();
            Now = next.At;
            Count++;
            if (planned.Process is { } process) process.Do(planned.Action);
            else planned.Action();
        }

        Now = end;
    }

    private readonly record struct Planned(Action Action, VirtualClock? Process);

    private readonly record struct Moment(long At, long Order) : IComparable<Moment>
    {
        public int CompareTo(Moment other) => At != other.At ? At.CompareTo(other.At) : Order.CompareTo(other.Order);
    }
}
