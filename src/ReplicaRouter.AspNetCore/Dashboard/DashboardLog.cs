using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Dashboard;

/// <summary>Who ordered what. What came of it, the router logs.</summary>
internal static partial class DashboardLog
{
    [LoggerMessage(800, LogLevel.Information, "{User} drains host {Host} by the dashboard")]
    public static partial void Drains(ILogger logger, string user, string host);

    [LoggerMessage(801, LogLevel.Information, "{User} restores host {Host} by the dashboard")]
    public static partial void Restores(ILogger logger, string user, string host);

    [LoggerMessage(802, LogLevel.Warning, "{User} forces all reads to the primary by the dashboard")]
    public static partial void Forces(ILogger logger, string user);

    [LoggerMessage(803, LogLevel.Error, "The dashboard's sampling failed and goes on")]
    public static partial void SamplingFailed(ILogger logger, Exception exception);
}
