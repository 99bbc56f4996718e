namespace ReplicaRouter;

/// <summary>A host's connections that callers have open, without those that are only held, as by one who listens for hours.</summary>
/// <remarks>
/// Between two probes, as many are held as were idle all the time: one that is about to be used or returned is not among them. Written by several threads
/// without a lock: what is lost is made up for by the next probe.
/// </remarks>
internal sealed class ConnectionsInUse
{
    private int _open;
    private int _fewestIdle;
    private int _held;

    public int Count => Volatile.Read(ref _open) - Volatile.Read(ref _held);

    public void Opened() => Interlocked.Increment(ref _open);

    /// <param name="commands">The host's commands under way.</param>
    public void Closed(int commands)
    {
        Interlocked.Decrement(ref _open);
        NoteIdle(commands);
    }

    /// <summary>Takes note of how many are idle, as one began to be used.</summary>
    /// <param name="commands">The host's commands under way.</param>
    public void NoteIdle(int commands)
    {
        var idle = Idle(commands);
        if (idle < Volatile.Read(ref _fewestIdle)) Volatile.Write(ref _fewestIdle, idle);
        if (idle < Volatile.Read(ref _held)) Volatile.Write(ref _held, idle);
    }

    /// <summary>Called by each probe.</summary>
    /// <param name="commands">The host's commands under way.</param>
    public void NoteHeld(int commands)
    {
        Volatile.Write(ref _held, Volatile.Read(ref _fewestIdle));
        Volatile.Write(ref _fewestIdle, Idle(commands));
    }

    private int Idle(int commands) => Math.Max(0, Volatile.Read(ref _open) - commands);
}
