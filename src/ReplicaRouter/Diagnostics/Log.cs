using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Diagnostics;

/// <summary>Log events of the router. Transitions are logged, not states.</summary>
internal static partial class Log
{
    [LoggerMessage(200, LogLevel.Information, "Host {Host} is {State}, {Role} (was {Before})")]
    public static partial void HostRecovered(ILogger logger, string host, HostState state, HostRole role, HostState before);

    [LoggerMessage(201, LogLevel.Warning, "Host {Host} is {State} (was {Before}): {Error}")]
    public static partial void HostInDoubt(ILogger logger, string host, HostState state, HostState before, string? error);

    [LoggerMessage(203, LogLevel.Error, "The probe loop of host {Host} failed and goes on")]
    public static partial void ProbeLoopFailed(ILogger logger, string host, Exception exception);

    [LoggerMessage(210, LogLevel.Warning, "Host {Host} is down (was {Before}): {Error}")]
    public static partial void HostDown(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(211, LogLevel.Warning, "Host {Host} hangs (was {Before}); work there is moved where that is safe: {Error}")]
    public static partial void HostHung(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(212, LogLevel.Warning, "Host {Host} is starting up or shutting down (was {Before}): {Error}")]
    public static partial void HostRestarting(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(213, LogLevel.Warning, "Host {Host} lags (was {Before}): {Error}")]
    public static partial void HostLagging(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(214, LogLevel.Warning, "Host {Host} lets nobody log in; open connections go on serving (was {Before}): {Error}")]
    public static partial void HostLetsNobodyIn(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(215, LogLevel.Warning, "Host {Host} has no connection slot left; open connections go on serving (was {Before}): {Error}")]
    public static partial void HostFull(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(216, LogLevel.Information, "Host {Host} answers (was {Before}) and serves once it has done so for a while")]
    public static partial void HostRecovering(ILogger logger, string host, HostState before);

    [LoggerMessage(217, LogLevel.Warning, "Host {Host} fails statements that other hosts answer, and is left out for a while (was {Before}): {Error}")]
    public static partial void HostFailing(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(218, LogLevel.Error, "Host {Host} is the primary, and writes fail there (was {Before}): {Error}")]
    public static partial void HostReadOnly(ILogger logger, string host, HostState before, string? error);

    [LoggerMessage(220, LogLevel.Error, "Host {Host} is misconfigured and gets no traffic: {Error}")]
    public static partial void HostMisconfigured(ILogger logger, string host, string? error);

    [LoggerMessage(221, LogLevel.Error, "Host {Host} belongs to another cluster and gets no traffic: {Error}")]
    public static partial void HostOfOtherCluster(ILogger logger, string host, string? error);

    [LoggerMessage(222, LogLevel.Error, "Host {Host} takes writes, is not the cluster's primary, and gets no traffic: {Error}")]
    public static partial void HostFenced(ILogger logger, string host, string? error);

    [LoggerMessage(223, LogLevel.Error, "Host {Host} follows another timeline and gets no traffic: {Error}")]
    public static partial void HostOnOldTimeline(ILogger logger, string host, string? error);

    [LoggerMessage(224, LogLevel.Critical, "Host {Host} is one of several primaries and gets no writes: {Error}")]
    public static partial void HostInSplitBrain(ILogger logger, string host, string? error);

    [LoggerMessage(300, LogLevel.Warning, "Host {Host} is the primary now, on timeline {Timeline}; before it was {Before}")]
    public static partial void PrimaryChanged(ILogger logger, string host, int? timeline, string before);

    [LoggerMessage(301, LogLevel.Warning, "No host can take writes; {Before} was the primary")]
    public static partial void PrimaryLost(ILogger logger, string before);

    [LoggerMessage(302, LogLevel.Warning, "Timeline {Former} is given up: no present host that counts vouches for it. The cluster is on timeline {Timeline}")]
    public static partial void TimelineGivenUp(ILogger logger, int former, int timeline);

    [LoggerMessage(303, LogLevel.Warning, "The cluster with system identifier {Former} is given up for the one with {Identifier}: pools, positions and sessions of the former one start again")]
    public static partial void IdentityGivenUp(ILogger logger, ulong former, ulong? identifier);

    [LoggerMessage(304, LogLevel.Warning, "Host {Host} is fenced; {Cut} connections of writable routes that were in use there were cut")]
    public static partial void WritersCut(ILogger logger, string host, long cut);

    [LoggerMessage(310, LogLevel.Information, "Host {Host} was added: {Endpoint}")]
    public static partial void HostAdded(ILogger logger, string host, string endpoint);

    [LoggerMessage(311, LogLevel.Information, "Host {Host} ({Endpoint}) was removed; its connections in use have {Timeout} to finish")]
    public static partial void HostRemoved(ILogger logger, string host, string endpoint, TimeSpan timeout);

    [LoggerMessage(312, LogLevel.Information, "Host {Host} serves {Groups} now, with weight {Weight} and the labels that are configured")]
    public static partial void HostReassigned(ILogger logger, string host, string groups, int weight);

    [LoggerMessage(313, LogLevel.Information, "Host {Host} is connected to in another way now; its former connections in use have {Timeout} to finish")]
    public static partial void HostReconnected(ILogger logger, string host, TimeSpan timeout);

    [LoggerMessage(314, LogLevel.Warning, "Host {Host} refuses its changed connection settings; the former ones are kept, and the new ones tried again: {Error}")]
    public static partial void RenewalRefused(ILogger logger, string host, string error);

    [LoggerMessage(315, LogLevel.Warning, "Former connections to host {Host}, {InUse} of them, were still in use after {Timeout}; {Cut} were cut")]
    public static partial void Cut(ILogger logger, string host, int inUse, TimeSpan timeout, long cut);

    [LoggerMessage(316, LogLevel.Warning, "Former connections to host {Host} could not be cut")]
    public static partial void CutFailed(ILogger logger, string host, Exception exception);

    [LoggerMessage(317, LogLevel.Error, "A change of the hosts failed half-way; further changes go on")]
    public static partial void ChangeFailed(ILogger logger, Exception exception);

    [LoggerMessage(318, LogLevel.Warning, "The pools of {Processes} processes may open {Most} connections to host {Host}, whose server allows {Allowed}. Lower Routes:<name>:MaxPoolSize, or raise max_connections")]
    public static partial void PoolsExceedServer(ILogger logger, string host, int most, int processes, int allowed);

    [LoggerMessage(320, LogLevel.Error, "A changed configuration is refused as a whole, and the former one kept: {Error}")]
    public static partial void ConfigurationRefused(ILogger logger, string error);

    [LoggerMessage(321, LogLevel.Warning, "Of the changed configuration only the hosts take effect now; the rest does at the next start")]
    public static partial void RestartNeeded(ILogger logger);

    [LoggerMessage(330, LogLevel.Warning, "The source {Source} told no hosts, and those that are known are kept: {Error}. Further failures are only counted")]
    public static partial void SourceFailed(ILogger logger, string source, string error);

    [LoggerMessage(331, LogLevel.Information, "The source {Source} tells its hosts again, {Count} of them")]
    public static partial void SourceRecovered(ILogger logger, string source, int count);

    [LoggerMessage(332, LogLevel.Warning, "The source {Source} names {Count} hosts that Discovery:AllowedHosts does not allow, among them {Hosts}: they are ignored. Further ones are only counted")]
    public static partial void HostsRefused(ILogger logger, string source, string hosts, int count);

    [LoggerMessage(333, LogLevel.Warning, "Sources may name any host, and no certificate proves that a host is one of yours. Set Discovery:AllowedHosts, or in {Source} sslmode=verify-full and sslrootcert")]
    public static partial void SourcesAreTrusted(ILogger logger, string source);

    [LoggerMessage(340, LogLevel.Error, "Npgsql {Version} lacks what the router relies on: {Missing}. Use a version of Npgsql that the package ReplicaRouter allows")]
    public static partial void NpgsqlLacks(ILogger logger, Version? version, string missing);

    [LoggerMessage(341, LogLevel.Error, "Closing what unused databases hold failed and goes on")]
    public static partial void DatabaseSweepFailed(ILogger logger, Exception exception);

    [LoggerMessage(400, LogLevel.Warning, "All reads are forced to the primary for {Duration}")]
    public static partial void ForcedToPrimary(ILogger logger, TimeSpan duration);

    [LoggerMessage(401, LogLevel.Information, "Host {Host} is drained: it gets no new work")]
    public static partial void Drained(ILogger logger, string host);

    [LoggerMessage(402, LogLevel.Information, "Host {Host} is restored")]
    public static partial void Restored(ILogger logger, string host);

    [LoggerMessage(403, LogLevel.Warning, "Host {Host} still has {InUse} connections in use after {Timeout}")]
    public static partial void DrainTimedOut(ILogger logger, string host, int inUse, TimeSpan timeout);

    [LoggerMessage(404, LogLevel.Warning, "An operator accepted host {Host}: the cluster has system identifier {Identifier} and is on timeline {Timeline}. Given up: {GivenUp}")]
    public static partial void Accepted(ILogger logger, string host, ulong identifier, int timeline, string givenUp);

    [LoggerMessage(500, LogLevel.Information, "{Route} work failed by host {Host} is run again elsewhere: {Reason}")]
    public static partial void RetriedElsewhere(ILogger logger, string route, string host, string reason);

    [LoggerMessage(501, LogLevel.Information, "{Route} work is moved off host {Host}, which hangs")]
    public static partial void Moved(ILogger logger, string route, string host);

    [LoggerMessage(502, LogLevel.Warning, "{Route} work failed by host {Host} is not run again: the budget for retries is spent")]
    public static partial void RetryBudgetSpent(ILogger logger, string route, string host);

    [LoggerMessage(600, LogLevel.Warning, "A session has seen or written what a failover may have lost. It goes on from {Position}. {Others} more since the last such warning")]
    public static partial void HistoryLost(ILogger logger, WalPosition position, long others);

    [LoggerMessage(601, LogLevel.Warning, "A session token was ignored: {Reason}. {Others} more since the last such warning")]
    public static partial void TokenIgnored(ILogger logger, string reason, long others);
}
