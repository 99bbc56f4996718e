namespace ReplicaRouter.Simulation;

/// <summary>What is still to happen, by time; what happens at the same time, in the order in which it was planned.</summary>
internal sealed class EventQueue
{
    private readonly PriorityQueue<Action, Moment> _events = new();
    private long _planned;

    /// <summary>The virtual time, in ticks of 100 ns.</summary>
    public long Now { get; private set; }

    /// <summary>Events so far.</summary>
    public long Count { get; private set; }

    public void At(long time, Action action) => _events.Enqueue(action, new Moment(Math.Max(time, Now), _planned++));

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
        while (_events.TryPeek(out var action, out var next) && next.At < end)
        {
            _events.Dequeue();
            Now = next.At;
            Count++;
            action();
        }

        Now = end;
    }

    private readonly record struct Moment(long At, long Order) : IComparable<Moment>
    {
        public int CompareTo(Moment other) => At != other.At ? At.CompareTo(other.At) : Order.CompareTo(other.Order);
    }
}
