using System.Data;
using Npgsql;

namespace ReplicaRouter.Attempts;

/// <summary>What one unit of work has sent to its server so far, as reported by Npgsql's meter on the work's own execution context, and how the work ended.</summary>
internal sealed class CommandFlow
{
    /// <summary>The unit of work that the current code is part of; null outside the router's operations.</summary>
    public static readonly AsyncLocal<CommandFlow?> Current = new();

    /// <summary>Marks the router's own commands on callers' connections, which are not counted.</summary>
    public static readonly CommandFlow Uncounted = new();

    private bool _isCommittingOrStopped;
    private int _commands;
    private int _executing;
    private long _bytes;
    private long _bytesBefore;
    private long _bytesAfter;

    /// <summary>Whether the work was abandoned. The durations of its commands are ignored from then on.</summary>
    public bool IsGivenUp { get; private set; }

    /// <summary>Whether the connection broke under the work.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Where an error of the work occurred.</summary>
    public FailureSite Site => IsBroken ? FailureSite.BrokenConnection : FailureSite.OpenConnection;

    /// <summary>Whether the server was a standby.</summary>
    public bool IsOnStandby { get; private set; }

    /// <summary>The transaction whose COMMIT was sent, or is about to be.</summary>
    public TransactionMark? Mark { get; private set; }

    /// <summary>The operation that the work is part of; null for a transaction, which is never hedged.</summary>
    public Attempt? Attempt { get; init; }

    /// <summary>Commands started so far.</summary>
    public int Commands => Volatile.Read(ref _commands);

    public bool HasSent => Volatile.Read(ref _bytes) > 0;

    /// <summary>Whether the work ended in its first command: nothing was sent before it (not even by COPY, which does not count as a command) and nothing after it.</summary>
    public bool IsFirstCommand => Volatile.Read(ref _commands) == 1 && _bytesBefore == 0 && Volatile.Read(ref _bytes) == _bytesAfter;

    /// <summary>Commands that Npgsql has counted as started but not as ended, as when sending them failed.</summary>
    public int Uncounting => Volatile.Read(ref _executing);

    public void CommandStarted()
    {
        if (Interlocked.Increment(ref _commands) == 1) _bytesBefore = Volatile.Read(ref _bytes);
    }

    public void Executing(int change) => Interlocked.Add(ref _executing, change);

    public void CommandEnded() => _bytesAfter = Volatile.Read(ref _bytes);

    public void Sent(long bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>Abandons the work; a COMMIT that has not started is refused from now on.</summary>
    public void GiveUp()
    {
        IsGivenUp = true;
        Interlocked.Exchange(ref _isCommittingOrStopped, true);
    }

    /// <summary>Must be called before COMMIT is sent.</summary>
    /// <exception cref="OperationCanceledException">The work was abandoned: its caller has already received a failure.</exception>
    public void BeginCommit(TransactionMark mark)
    {
        Mark = mark;
        if (!Interlocked.Exchange(ref _isCommittingOrStopped, true)) return;
        Mark = null;
        throw new OperationCanceledException("The transaction was abandoned before its COMMIT was sent.");
    }

    /// <summary>Records the state in which the work leaves its connection.</summary>
    public void Leave(NpgsqlConnection connection)
    {
        IsBroken = connection.FullState.HasFlag(ConnectionState.Broken);
        IsOnStandby = connection.State == ConnectionState.Open && connection.IsToStandby();
    }
}
