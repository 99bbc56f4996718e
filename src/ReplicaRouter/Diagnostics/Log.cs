using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Diagnostics;

/// <summary>The router's log events. They report transitions, not states.</summary>
internal static partial class Log
{
    [LoggerMessage(200, LogLevel.Information, "Host {Host} is {State}, {Role} (was {Before})")]
    public static partial void HostRecovered(ILogger logger, string host, HostState state, HostRole role, HostState before);

    [LoggerMessage(201, LogLevel.Warning, "Host {Host} is {State} (was {Before}): {Error}")]
    public static partial void HostInDoubt(ILogger logger, string host, HostState state, HostState before, string? error);

    [LoggerMessage(203, LogLevel.Error, "The probe loop of host {Host} failed; it continues")]
    public static partial void ProbeLoopFailed(ILogger logger, string host, Exception exception);

    [LoggerMessage(210, LogLevel.Warning, "Host {Host} is down (was {Before}): {Error}")]
    public static partial void HostDown(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(211, LogLevel.Warning, "Host {Host} is hung (was {Before}); its work is moved where that is safe: {Error}")]
    public static partial void HostHung(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(212, LogLevel.Warning, "Host {Host} is starting up or shutting down (was {Before}): {Error}")]
    public static partial void HostRestarting(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(213, LogLevel.Warning, "Host {Host} is lagging (was {Before}): {Error}")]
    public static partial void HostLagging(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(214, LogLevel.Warning, "Host {Host} is not accepting new connections (was {Before}); open ones keep serving: {Error}")]
    public static partial void HostLetsNobodyIn(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(215, LogLevel.Warning, "Host {Host} has no connection slots left (was {Before}); open connections keep serving: {Error}")]
    public static partial void HostFull(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(216, LogLevel.Information, "Host {Host} answers (was {Before}); it will serve after several answered probes")]
    public static partial void HostRecovering(ILogger logger, string host, HostState before);

    [LoggerMessage(217, LogLevel.Warning, "Host {Host} fails statements that other hosts answer (was {Before}); it is ejected for a while: {Error}")]
    public static partial void HostFailing(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(218, LogLevel.Error, "Host {Host} is the primary, but writes fail there (was {Before}): {Error}")]
    public static partial void HostReadOnly(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(220, LogLevel.Error, "Host {Host} is misconfigured and gets no traffic: {Error}")]
    public static partial void HostMisconfigured(ILogger logger, string host, string? error);

    [LoggerMessage(221, LogLevel.Error, "Host {Host} belongs to another cluster and gets no traffic: {Error}")]
    public static partial void HostOfOtherCluster(ILogger logger, string host, string? error);

    [LoggerMessage(222, LogLevel.Error, "Host {Host} accepts writes but is not the cluster's primary; it gets no traffic: {Error}")]
    public static partial void HostFenced(ILogger logger, string host, string? error);

    [LoggerMessage(223, LogLevel.Error, "Host {Host} follows another timeline and gets no traffic: {Error}")]
    public static partial void HostOnOldTimeline(ILogger logger, string host, string? error);

    [LoggerMessage(224, LogLevel.Critical, "Host {Host} is one of several primaries and gets no writes: {Error}")]
    public static partial void HostInSplitBrain(ILogger logger, string host, string? error);

    [LoggerMessage(300, LogLevel.Warning, "Host {Host} is now the primary, on timeline {Timeline}; the previous primary was {Before}")]
    public static partial void PrimaryChanged(ILogger logger, string host, int? timeline, string before);

    [LoggerMessage(301, LogLevel.Warning, "No host can accept writes; the last primary was {Before}")]
    public static partial void PrimaryLost(ILogger logger, string before);

    [LoggerMessage(302, LogLevel.Warning, "Timeline {Former} is abandoned, because no trusted host vouches for it any more. The cluster is on timeline {Timeline}")]
    public static partial void TimelineGivenUp(ILogger logger, int former, int timeline);

    [LoggerMessage(303, LogLevel.Warning, "System identifier {Former} is abandoned for {Identifier}: the cluster was replaced, and its pools, positions and sessions start over")]
    public static partial void IdentityGivenUp(ILogger logger, ulong former, ulong? identifier);

    [LoggerMessage(304, LogLevel.Warning, "Host {Host} is fenced; {Cut} connections in use on writable routes were cut")]
    public static partial void WritersCut(ILogger logger, string host, long cut);

    [LoggerMessage(310, LogLevel.Information, "Host {Host} was added: {Endpoint}")]
    public static partial void HostAdded(ILogger logger, string host, string endpoint);

    [LoggerMessage(311, LogLevel.Information, "Host {Host} ({Endpoint}) was removed; its connections in use have {Timeout} to finish")]
    public static partial void HostRemoved(ILogger logger, string host, string endpoint, TimeSpan timeout);

    [LoggerMessage(312, LogLevel.Information, "Host {Host} now serves {Groups}, with weight {Weight} and its configured labels")]
    public static partial void HostReassigned(ILogger logger, string host, string groups, int weight);

    [LoggerMessage(313, LogLevel.Information, "Host {Host} has new connection settings; its former connections in use have {Timeout} to finish")]
    public static partial void HostReconnected(ILogger logger, string host, TimeSpan timeout);

    [LoggerMessage(314, LogLevel.Warning, "Host {Host} refuses its new connection settings; the former ones stay in use, and the new ones are retried: {Error}")]
    public static partial void RenewalRefused(ILogger logger, string host, string error);

    [LoggerMessage(315, LogLevel.Warning, "{InUse} former connections to host {Host} were still in use after {Timeout}; {Cut} were cut")]
    public static partial void Cut(ILogger logger, string host, int inUse, TimeSpan timeout, long cut);

    [LoggerMessage(316, LogLevel.Warning, "Former connections to host {Host} could not be cut")]
    public static partial void CutFailed(ILogger logger, string host, Exception exception);

    [LoggerMessage(317, LogLevel.Error, "A change of the hosts failed partway; later changes still apply")]
    public static partial void ChangeFailed(ILogger logger, Exception exception);

    [LoggerMessage(318, LogLevel.Warning, "The pools of {Processes} processes can open {Most} connections to host {Host}, whose server allows {Allowed}. Lower Routes:<name>:MaxPoolSize, or raise max_connections")]
    public static partial void PoolsExceedServer(ILogger logger, string host, int most, int processes, int allowed);

    [LoggerMessage(320, LogLevel.Error, "The changed configuration is refused as a whole; the former one stays in effect: {Error}")]
    public static partial void ConfigurationRefused(ILogger logger, string error);

    [LoggerMessage(321, LogLevel.Warning, "Only the host changes of the new configuration take effect now; the rest takes effect at the next start")]
    public static partial void RestartNeeded(ILogger logger);

    [LoggerMessage(330, LogLevel.Warning, "Discovery source {Source} failed; keeping the current hosts: {Error}. Repeats are only counted")]
    public static partial void SourceFailed(ILogger logger, string source, string error);

    [LoggerMessage(331, LogLevel.Information, "Discovery source {Source} works again and names {Count} hosts")]
    public static partial void SourceRecovered(ILogger logger, string source, int count);

    [LoggerMessage(332, LogLevel.Warning, "Discovery source {Source} names {Count} hosts that Discovery:AllowedHosts does not allow, such as {Hosts}; they are ignored. Repeats are only counted")]
    public static partial void HostsRefused(ILogger logger, string source, string hosts, int count);

    [LoggerMessage(333, LogLevel.Warning, "Discovery sources can name any host, and no certificate proves that a host is yours. Set Discovery:AllowedHosts, or set sslmode=verify-full and sslrootcert in {Source}")]
    public static partial void SourcesAreTrusted(ILogger logger, string source);

    [LoggerMessage(340, LogLevel.Error, "Npgsql {Version} lacks features that the router needs: {Missing}. Use an Npgsql version that the ReplicaRouter package allows")]
    public static partial void NpgsqlLacks(ILogger logger, Version? version, string missing);

    [LoggerMessage(341, LogLevel.Error, "Closing the connections and pools of unused databases failed; it will be retried")]
    public static partial void DatabaseSweepFailed(ILogger logger, Exception exception);

    [LoggerMessage(400, LogLevel.Warning, "All reads are forced to the primary for {Duration}")]
    public static partial void ForcedToPrimary(ILogger logger, TimeSpan duration);

    [LoggerMessage(401, LogLevel.Information, "Host {Host} is drained: it gets no new work")]
    public static partial void Drained(ILogger logger, string host);

    [LoggerMessage(402, LogLevel.Information, "Host {Host} is restored")]
    public static partial void Restored(ILogger logger, string host);

    [LoggerMessage(403, LogLevel.Warning, "Host {Host} still has {InUse} connections in use after {Timeout}")]
    public static partial void DrainTimedOut(ILogger logger, string host, int inUse, TimeSpan timeout);

    [LoggerMessage(404, LogLevel.Warning, "An operator accepted host {Host}: the cluster has system identifier {Identifier} and is on timeline {Timeline}. Abandoned: {GivenUp}")]
    public static partial void Accepted(ILogger logger, string host, ulong identifier, int timeline, string givenUp);

    [LoggerMessage(500, LogLevel.Information, "{Route} work that failed on host {Host} is retried: {Reason}")]
    public static partial void RetriedElsewhere(ILogger logger, string route, string host, string reason);

    [LoggerMessage(501, LogLevel.Information, "{Route} work is moved off host {Host}, which is hung")]
    public static partial void Moved(ILogger logger, string route, string host);

    [LoggerMessage(502, LogLevel.Warning, "{Route} work that failed on host {Host} is not retried: the retry budget is spent")]
    public static partial void RetryBudgetSpent(ILogger logger, string route, string host);

    [LoggerMessage(600, LogLevel.Warning, "A session has seen or written data that a failover may have lost; it continues from {Position}. {Others} more since the last warning")]
    public static partial void HistoryLost(ILogger logger, WalPosition position, long others);

    [LoggerMessage(601, LogLevel.Warning, "A session token was ignored: {Reason}. {Others} more since the last warning")]
    public static partial void TokenIgnored(ILogger logger, string reason, long others);
}
