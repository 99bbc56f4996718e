using Microsoft.Extensions.Logging;

namespace ReplicaRouter;

/// <summary>Log events of the web package.</summary>
/// <remarks>All in one class: the generator writes several in an order that differs from build to build, and no two builds would be equal.</remarks>
internal static partial class WebLog
{
    [LoggerMessage(700, LogLevel.Warning, "A response could not carry its session's token: the caller's next request may not see what this one wrote")]
    public static partial void TokenNotCarried(ILogger logger, Exception exception);

    [LoggerMessage(800, LogLevel.Information, "{User} drains host {Host} by the dashboard")]
    public static partial void DashboardDrains(ILogger logger, string user, string host);

    [LoggerMessage(801, LogLevel.Information, "{User} restores host {Host} by the dashboard")]
    public static partial void DashboardRestores(ILogger logger, string user, string host);

    [LoggerMessage(802, LogLevel.Warning, "{User} forces all reads to the primary by the dashboard")]
    public static partial void DashboardForces(ILogger logger, string user);

    [LoggerMessage(804, LogLevel.Warning, "{User} accepts host {Host} by the dashboard: system identifier {Identifier}, timeline {Timeline}")]
    public static partial void DashboardAccepts(ILogger logger, string user, string host, ulong identifier, int timeline);

    [LoggerMessage(803, LogLevel.Error, "The dashboard's sampling failed and goes on")]
    public static partial void DashboardSamplingFailed(ILogger logger, Exception exception);

    [LoggerMessage(805, LogLevel.Error, "{Fault}")]
    public static partial void DashboardNotAuthorizable(ILogger logger, string fault);
}
