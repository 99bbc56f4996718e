namespace ReplicaRouter.Simulation;

/// <summary>What is still to happen, by time; what happens at the same time, in the order in which it was planned.</summary>
internal sealed class EventQueue
{
    private readonly PriorityQueue<Planned, Moment> _events = new();
    private long _planned;

    /// <summary>The virtual time, in ticks of 100 ns.</summary>
    public long Now { get; private set; }

    /// <summary>Events so far.</summary>
    public long Count { get; private set; }

    /// <param name="time">When it happens, or as soon as the process goes on in which it is to happen.</param>
    /// <param name="action">What happens.</param>
    /// <param name="process">That process's clock, if it happens in one.</param>
    public void At(long time, Action action, VirtualClock? process = null) => _events.Enqueue(new Planned(action, process), new Moment(Math.Max(time, Now), _planned++));

    public void After(TimeSpan delay, Action action) => At(Now + delay.Ticks, action);

    public void RunUntil(long end)
    {
        // What awaits goes on within the event that ends its wait, on this thread, unless a context would take it elsewhere.
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
