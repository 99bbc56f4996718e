namespace ReplicaRouter.Dashboard.Feed;

/// <summary>
/// Something that happened, in words: when, in ms of the Unix epoch; to which host, if to one; why, where that is known; and the error's text, for operators.
/// </summary>
internal sealed record FeedEvent(long Id, long At, EventKind Kind, Severity Severity, string? Host, string Text, string? Reason, string? Error)
{
    /// <summary>The same for those who may not see the texts of errors.</summary>
    public static FeedEvent[] WithoutErrors(FeedEvent[] events) => [.. events.Select(happened => happened.Error is null ? happened : happened with { Error = null })];
}

internal enum EventKind
{
    /// <summary>A host's state changed without taking it out or bringing it back.</summary>
    Host,

    /// <summary>A host was taken out.</summary>
    Ejection,

    /// <summary>A host came back.</summary>
    Return,

    /// <summary>The primary changed, or was lost.</summary>
    Failover,

    /// <summary>A route's own group could not serve.</summary>
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
