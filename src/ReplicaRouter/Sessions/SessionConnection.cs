using System.Data;

namespace ReplicaRouter;

/// <summary>Tells a session when one connection that it works on is opened and closed.</summary>
internal sealed class SessionConnection(SessionState session, HostConfiguration host, bool isWrite, TopologyStore store, TimeProvider time)
{
    private SessionUse? _use;
    private long _beganAt;

    /// <param name="timeline">The timeline on which the host was chosen: it may be another one by the time it is connected to.</param>
    public void Begin(int timeline)
    {
        _beganAt = time.GetTimestamp();
        _use = session.Begin(host, timeline, isWrite, _beganAt);
    }

    public void OnStateChange(object sender, StateChangeEventArgs change)
    {
        if (change.CurrentState == ConnectionState.Open) Begin(store.Current.Timeline);
        else if (change.OriginalState == ConnectionState.Open) End();
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
