using System.Data;
using System.Transactions;

namespace ReplicaRouter.Sessions;

/// <summary>Reports to a session when one of its connections is opened and closed.</summary>
internal sealed class SessionConnection(SessionState session, HostConfiguration host, bool isWrite, TopologyStore store, TimeProvider time)
{
    private Work? _current;

    /// <param name="timeline">The timeline on which the host was chosen. It can be another one by the time the connection is open.</param>
    public void Begin(int timeline)
    {
        var now = time.GetTimestamp();
        var topology = store.Current;
        var isOnReplica = !isWrite && topology.Find(host) is not { Role: HostRole.Primary };
        var work = _current = new Work(session.Begin(host, timeline, isWrite, now, topology.History.ForkOf(timeline), isOnReplica));
        if (!isWrite || Transaction.Current is not { } transaction) return;
        // Work enlisted in an ambient transaction is committed with it, after the connection was closed.
        work.Holds++;
        transaction.TransactionCompleted += (_, _) => Release(work);
    }

    public void OnStateChange(object sender, StateChangeEventArgs change)
    {
        if (change.CurrentState == ConnectionState.Open) Begin(store.Current.Timeline);
        else if (change.OriginalState == ConnectionState.Open && Interlocked.Exchange(ref _current, null) is { } work) Release(work);
    }

    private void Release(Work work)
    {
        if (Interlocked.Decrement(ref work.Holds) > 0) return;
        // First: a read of the session that comes between the two must see that it writes, or that it wrote.
        if (isWrite) session.Wrote(time.GetUtcNow());
        session.End(work.Use, time.GetTimestamp());
    }

    /// <summary>Work from the opening of a connection to its close, or to the end of the ambient transaction if it is enlisted in one.</summary>
    private sealed class Work(HostAccess use)
    {
        public int Holds = 1;

        public HostAccess Use => use;
    }
}
