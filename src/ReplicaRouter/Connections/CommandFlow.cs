namespace ReplicaRouter;

/// <summary>What one unit of work has sent to its server so far, as Npgsql's meter tells it in the flow of that work.</summary>
internal sealed class CommandFlow
{
    /// <summary>The unit of work that the current code is part of, if the router runs it.</summary>
    public static readonly AsyncLocal<CommandFlow?> Current = new();

    /// <summary>The router's own commands on callers' connections.</summary>
    public static readonly CommandFlow Uncounted = new();

    private int _commands;
    private long _bytes;
    private long _bytesBefore;
    private long _bytesAfter;

    /// <summary>Whether the work was given up. How long its commands take says nothing any more.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>Whether anything was sent.</summary>
    public bool HasSent => Volatile.Read(ref _bytes) > 0;

    /// <summary>Whether the work ended in its very first command: nothing was done before it, nor by COPY, which is no command, and nothing after.</summary>
    public bool IsFirstCommand => Volatile.Read(ref _commands) == 1 && _bytesBefore == 0 && Volatile.Read(ref _bytes) == _bytesAfter;

    public void CommandStarted()
    {
        if (Interlocked.Increment(ref _commands) == 1) _bytesBefore = Volatile.Read(ref _bytes);
    }

    public void CommandEnded() => _bytesAfter = Volatile.Read(ref _bytes);

    public void Sent(long bytes) => Interlocked.Add(ref _bytes, bytes);
}
