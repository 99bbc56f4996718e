using Microsoft.Extensions.Logging;

namespace ReplicaRouter;

/// <summary>Log events of the web package.</summary>
internal static partial class WebLog
{
    [LoggerMessage(700, LogLevel.Warning, "A response could not carry its session's token: the caller's next request may not see what this one wrote")]
    public static partial void TokenNotCarried(ILogger logger, Exception exception);
}
