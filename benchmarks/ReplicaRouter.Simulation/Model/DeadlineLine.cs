namespace ReplicaRouter.Simulation;

/// <summary>Ends operations that take too long. All have the same time-out, so they form a queue, and those that have ended need no event.</summary>
internal sealed class DeadlineLine(EventQueue events)
{
    /// <summary>The time-out of a caller: 2 s.</summary>
    private static readonly long Limit = TimeSpan.FromSeconds(2).Ticks;

    private readonly Queue<Operation> _line = new();

    public void Add(Operation operation)
    {
        _line.Enqueue(operation);
        if (_line.Count == 1) LookAgain();
    }

    private void LookAgain() => events.At(_line.Peek().IntendedAt + Limit, Look);

    private void Look()
    {
        while (_line.TryPeek(out var first) && (first.IsOver || first.IntendedAt + Limit <= events.Now))
        {
            _line.Dequeue();
            if (!first.IsOver) first.Expire();
        }

        if (_line.Count > 0) LookAgain();
    }
}
