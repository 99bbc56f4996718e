using Microsoft.Extensions.Logging;

namespace ReplicaRouter;

/// <summary>Log events of the web package.</summary>
/// <remarks>One class only: the generator emits several classes in an order that varies from build to build, which would make builds non-deterministic.</remarks>
internal static partial class WebLog
{
    [LoggerMessage(700, LogLevel.Warning, "The session token could not be added to a response; the caller's next request may not see this request's writes")]
    public static partial void TokenNotCarried(ILogger logger, Exception exception);

    [LoggerMessage(800, LogLevel.Information, "{User} drains host {Host} from the dashboard")]
    public static partial void DashboardDrains(ILogger logger, string user, string host);

    [LoggerMessage(801, LogLevel.Information, "{User} restores host {Host} from the dashboard")]
    public static partial void DashboardRestores(ILogger logger, string user, string host);

    [LoggerMessage(802, LogLevel.Warning, "{User} forces all reads to the primary from the dashboard")]
    public static partial void DashboardForces(ILogger logger, string user);

    [LoggerMessage(804, LogLevel.Warning, "{User} accepts host {Host} from the dashboard: system identifier {Identifier}, timeline {Timeline}")]
    public static partial void DashboardAccepts(ILogger logger, string user, string host, ulong identifier, int timeline);

    [LoggerMessage(803, LogLevel.Error, "The dashboard failed to take a sample; it continues with the next one")]
    public static partial void DashboardSamplingFailed(ILogger logger, Exception exception);

    [LoggerMessage(805, LogLevel.Error, "{Fault}")]
    public static partial void DashboardNotAuthorizable(ILogger logger, string fault);
}
