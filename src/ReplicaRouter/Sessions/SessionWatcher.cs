using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Sessions;

/// <summary>Counts and logs what is found wrong with what sessions bring along.</summary>
internal sealed class SessionWatcher(RoutingCounters counters, TimeProvider time, ILogger logger)
{
    // Anybody can send bad tokens, as many as they like: no log is to be filled by them.
    private readonly WarningLimit _ignored = new(time);
    private readonly WarningLimit _lost = new(time);

    /// <summary>Notes what was found of a session, and the position from where it goes on.</summary>
    public void OnFinding(SessionFinding finding, in WalPosition position)
    {
        if (finding == SessionFinding.ForeignToken) OnIgnoredToken("it is of another cluster");
        if (finding != SessionFinding.LostHistory) return;
        counters.Count(RouterEvent.LostHistory);
        if (_lost.Lets(out var others)) Log.HistoryLost(logger, position, others);
    }

    public void OnIgnoredToken(string reason)
    {
        counters.Count(RouterEvent.IgnoredToken);
        if (_ignored.Lets(out var others)) Log.TokenIgnored(logger, reason, others);
    }
}
