using Microsoft.Extensions.Logging;

namespace ReplicaRouter;

/// <summary>Counts and logs what is found wrong with what sessions bring along.</summary>
internal sealed class SessionWatcher(RoutingCounters counters, ILogger logger)
{
    /// <param name="finding">What was found.</param>
    /// <param name="position">From where the session goes on.</param>
    public void OnFinding(SessionFinding finding, in WalPosition position)
    {
        if (finding == SessionFinding.ForeignToken) OnIgnoredToken("it is of another cluster");
        if (finding != SessionFinding.LostHistory) return;
        counters.CountLostHistory();
        Log.HistoryLost(logger, position);
    }

    public void OnIgnoredToken(string reason)
    {
        // Anybody can send bad tokens, as many as they like: no log is to be filled by them.
        if (counters.CountIgnoredToken() == 1) Log.TokenIgnored(logger, reason);
    }
}
