using System.Data;
using Npgsql;

namespace ReplicaRouter.Attempts;

/// <summary>What one unit of work has sent to its server so far, as Npgsql's meter tells it in the flow of that work, and how it ended.</summary>
internal sealed class CommandFlow
{
    /// <summary>The unit of work that the current code is part of, if the router runs it.</summary>
    public static readonly AsyncLocal<CommandFlow?> Current = new();

    /// <summary>The router's own commands on callers' connections.</summary>
    public static readonly CommandFlow Uncounted = new();

    private const int Running = 0;
    private const int Committing = 1;
    private const int Stopped = 2;

    private int _phase;
    private int _commands;
    private int _executing;
    private long _bytes;
    private long _bytesBefore;
    private long _bytesAfter;

    /// <summary>Whether the work was given up. How long its commands take no longer says anything.</summary>
    public bool IsGivenUp { get; private set; }

    /// <summary>Whether the connection broke under the work.</summary>
    public bool IsBroken { get; set; }

    /// <summary>On what an error of the work was met.</summary>
    public FailureSite Site => IsBroken ? FailureSite.BrokenConnection : FailureSite.OpenConnection;

    /// <summary>Whether the connection led to a standby.</summary>
    public bool IsOnStandby { get; private set; }

    /// <summary>The transaction whose COMMIT was sent, or is about to be.</summary>
    public TransactionMark? Mark { get; private set; }

    /// <summary>The operation that the work is part of, if it is one that may be given a second run.</summary>
    public Attempt? Attempt { get; init; }

    /// <summary>Commands that were begun so far.</summary>
    public int Commands => Volatile.Read(ref _commands);

    /// <summary>Whether anything was sent.</summary>
    public bool HasSent => Volatile.Read(ref _bytes) > 0;

    /// <summary>Whether the work ended in its very first command: nothing was done before it, nor by COPY, which is no command, and nothing after.</summary>
    public bool IsFirstCommand => Volatile.Read(ref _commands) == 1 && _bytesBefore == 0 && Volatile.Read(ref _bytes) == _bytesAfter;

    /// <summary>Commands that Npgsql has begun to count and never counted as ended, as when not even sending them worked.</summary>
    public int Uncounting => Volatile.Read(ref _executing);

    public void CommandStarted()
    {
        if (Interlocked.Increment(ref _commands) == 1) _bytesBefore = Volatile.Read(ref _bytes);
    }

    public void Executing(int change) => Interlocked.Add(ref _executing, change);

    public void CommandEnded() => _bytesAfter = Volatile.Read(ref _bytes);

    public void Sent(long bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>Its caller no longer waits for the work. Unless its COMMIT was begun before, it never will be.</summary>
    public void GiveUp()
    {
        IsGivenUp = true;
        Interlocked.CompareExchange(ref _phase, Stopped, Running);
    }

    /// <summary>Called before COMMIT is sent.</summary>
    /// <exception cref="OperationCanceledException">The work was given up: its caller was told that it failed.</exception>
    public void BeginCommit(TransactionMark mark)
    {
        Mark = mark;
        if (Interlocked.CompareExchange(ref _phase, Committing, Running) == Running) return;
        Mark = null;
        throw new OperationCanceledException("The transaction was given up before its COMMIT.");
    }

    /// <summary>Notes how the work leaves its connection.</summary>
    public void Leave(NpgsqlConnection connection)
    {
        IsBroken = connection.FullState.HasFlag(ConnectionState.Broken);
        IsOnStandby = connection.State == ConnectionState.Open && connection.IsToStandby();
    }
}
