using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Sessions;

/// <summary>Counts and logs bad tokens and lost history of sessions.</summary>
internal sealed class SessionWatcher(RoutingCounters counters, TimeProvider time, ILogger logger)
{
    // Any client can send any number of bad tokens, which must not fill the log.
    private readonly WarningLimit _ignored = new(time);
    private readonly WarningLimit _lost = new(time);

    /// <summary>Reports a finding about a session, and the position from which the session continues.</summary>
    public void OnFinding(SessionFinding finding, in WalPosition position)
    {
        if (finding == SessionFinding.ForeignToken) OnIgnoredToken("it is from another cluster");
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
