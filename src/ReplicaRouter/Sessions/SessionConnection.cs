using System.Data;
using System.Transactions;

namespace ReplicaRouter;

/// <summary>Tells a session when one connection that it works on is opened and closed.</summary>
internal sealed class SessionConnection(SessionState session, HostConfiguration host, bool isWrite, TopologyStore store, TimeProvider time)
{
    private SessionUse? _use;
    private Transaction? _transaction;
    private long _beganAt;

    /// <param name="timeline">The timeline on which the host was chosen: it may be another one by the time it is connected to.</param>
    public void Begin(int timeline)
    {
        _beganAt = time.GetTimestamp();
        _use = session.Begin(host, timeline, isWrite, _beganAt);
        _transaction = isWrite ? Transaction.Current : null;
    }

    public void OnStateChange(object sender, StateChangeEventArgs change)
    {
        if (change.CurrentState == ConnectionState.Open) Begin(store.Current.Timeline);
        else if (change.OriginalState == ConnectionState.Open) Close();
    }

    /// <summary>A connection that takes part in an ambient transaction is mostly closed before that one commits.</summary>
    private void Close()
    {
        if (_transaction is { } transaction && TryAwait(transaction)) return;
        End();
    }

    private bool TryAwait(Transaction transaction)
    {
        try
        {
            if (transaction.TransactionInformation.Status != TransactionStatus.Active) return false;
            transaction.TransactionCompleted += (_, _) => End();
            return true;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    private void End()
    {
        if (_use is not { } use) return;
        _use = null;
        var now = time.GetTimestamp();
        session.End(use, now);
        if (isWrite) session.Wrote(time.GetUtcNow(), time.GetElapsedTime(_beganAt, now));
    }
}
