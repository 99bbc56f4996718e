using System.Data;

namespace ReplicaRouter;

/// <summary>One connection that a session works on, from its opening to its closing.</summary>
internal sealed class SessionUse(SessionState session, HostConfiguration host, int timeline, bool isWrite, TimeProvider time)
{
    private long _beganAt;

    public void Begin()
    {
        _beganAt = time.GetTimestamp();
        session.Begin(host, timeline, isWrite, _beganAt);
    }

    public void OnStateChange(object sender, StateChangeEventArgs change)
    {
        if (change.CurrentState == ConnectionState.Open) Begin();
        else if (change.OriginalState == ConnectionState.Open) End();
    }

    private void End()
    {
        var now = time.GetTimestamp();
        session.End(host, timeline, now);
        if (isWrite) session.Wrote(time.GetUtcNow(), time.GetElapsedTime(_beganAt, now));
    }
}
