namespace ReplicaRouter.Dashboard.Feed;

/// <summary>
/// An event in words: when it happened, in ms of the Unix epoch; its host, if any; the reason, if known; and the error text, for operators only.
/// </summary>
internal sealed record FeedEvent(long Id, long At, EventKind Kind, Severity Severity, string? Host, string Text, string? Reason, string? Error)
{
    /// <summary>Returns a copy for users who may not see error texts.</summary>
    public static FeedEvent[] WithoutErrors(FeedEvent[] events) => [.. events.Select(happened => happened.Error is null ? happened : happened with { Error = null })];
}

internal enum EventKind
{
    /// <summary>A host's state changed, but it was neither taken out of service nor returned to it.</summary>
    Host,

    /// <summary>A host was taken out of service.</summary>
    Ejection,

    /// <summary>A host serves again.</summary>
    Return,

    /// <summary>The primary changed, or was lost.</summary>
    Failover,

    /// <summary>A route began or ceased to fall back from its own group.</summary>
    Fallback,

    /// <summary>An operator's order.</summary>
    Override,
}

internal enum Severity
{
    Good,
    Info,
    Warning,
    Critical,
}
