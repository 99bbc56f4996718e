using Microsoft.Extensions.Logging;

namespace ReplicaRouter;

/// <summary>Log events of the router. Transitions are logged, not states.</summary>
internal static partial class Log
{
    [LoggerMessage(200, LogLevel.Information, "Host {Host} is {State}, {Role} (was {Before})")]
    public static partial void HostRecovered(ILogger logger, string host, HostState state, HostRole role, HostState before);

    [LoggerMessage(201, LogLevel.Warning, "Host {Host} is {State} (was {Before}): {Error}")]
    public static partial void HostFailed(ILogger logger, string host, HostState state, HostState before, string? error);

    [LoggerMessage(202, LogLevel.Error, "Host {Host} is {State} and gets no traffic: {Error}")]
    public static partial void HostRefused(ILogger logger, string host, HostState state, string? error);

    [LoggerMessage(203, LogLevel.Error, "The probe loop of host {Host} failed and goes on")]
    public static partial void ProbeLoopFailed(ILogger logger, string host, Exception exception);

    [LoggerMessage(300, LogLevel.Warning, "Host {Host} is the primary now, on timeline {Timeline}; before it was {Before}")]
    public static partial void PrimaryChanged(ILogger logger, string host, int? timeline, string before);

    [LoggerMessage(301, LogLevel.Warning, "No host can take writes; {Before} was the primary")]
    public static partial void PrimaryLost(ILogger logger, string before);

    [LoggerMessage(400, LogLevel.Warning, "All reads are forced to the primary for {Duration}")]
    public static partial void ForcedToPrimary(ILogger logger, TimeSpan duration);

    [LoggerMessage(401, LogLevel.Information, "Host {Host} is drained: it gets no new work")]
    public static partial void Drained(ILogger logger, string host);

    [LoggerMessage(402, LogLevel.Information, "Host {Host} is restored")]
    public static partial void Restored(ILogger logger, string host);

    [LoggerMessage(403, LogLevel.Warning, "Host {Host} still has {InUse} connections in use after {Timeout}")]
    public static partial void DrainTimedOut(ILogger logger, string host, int inUse, TimeSpan timeout);

    [LoggerMessage(500, LogLevel.Information, "{Route} work failed by host {Host} is run again elsewhere: {Reason}")]
    public static partial void RetriedElsewhere(ILogger logger, string route, string host, string reason);

    [LoggerMessage(600, LogLevel.Warning, "A session has seen or written what a failover may have lost. It goes on from {Position}")]
    public static partial void HistoryLost(ILogger logger, WalPosition position);

    [LoggerMessage(601, LogLevel.Warning, "A session token was ignored: {Reason}. Further ones are only counted")]
    public static partial void TokenIgnored(ILogger logger, string reason);
}
