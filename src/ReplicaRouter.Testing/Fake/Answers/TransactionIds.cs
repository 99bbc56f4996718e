using System.Collections.Concurrent;

namespace ReplicaRouter.Testing.Fake;

/// <summary>The transactions that have written, and their outcomes.</summary>
internal sealed class TransactionIds
{
    private readonly ConcurrentDictionary<long, string> _statuses = new();
    private long _last = 1000;

    /// <summary>The id that the next transaction will get.</summary>
    public long Next => Interlocked.Read(ref _last) + 1;

    public long Begin()
    {
        var id = Interlocked.Increment(ref _last);
        _statuses[id] = "in progress";
        return id;
    }

    public void End(long id, bool isCommitted) => _statuses[id] = isCommitted ? "committed" : "aborted";

    /// <summary>Returns a transaction's status; null if this server never began it.</summary>
    public string? StatusOf(long id) => _statuses.GetValueOrDefault(id);
}
