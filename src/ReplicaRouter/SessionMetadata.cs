namespace ReplicaRouter;

/// <summary>Carries a session's token in the metadata of a job or message, so that whoever handles it sees what its sender wrote.</summary>
public static class SessionMetadata
{
    /// <summary>The metadata's key: <c>replica-router-token</c>. That of a further router of the application is followed by <c>-</c> and its name.</summary>
    public const string Key = "replica-router-token";

    /// <summary>Adds the session's token to metadata, if there is anything to tell.</summary>
    /// <param name="session">The sender's session.</param>
    /// <param name="metadata">The headers or parameters that travel with the job or message.</param>
    /// <param name="cancellationToken">Cancels asking for the position of the last write.</param>
    public static async ValueTask WriteToAsync(this DatabaseSession session, IDictionary<string, string> metadata, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(metadata);
        if (await session.GetTokenAsync(cancellationToken).ConfigureAwait(false) is { Length: > 0 } token) metadata[KeyOf(session.RouterName)] = token;
    }

    /// <summary>Begins a session that sees what the sender of a job or message had written and read.</summary>
    /// <param name="router">The handler's router.</param>
    /// <param name="metadata">What travelled with the job or message. Without a token the session starts from nothing.</param>
    public static DatabaseSession BeginSession(this DatabaseRouter router, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        ArgumentNullException.ThrowIfNull(router);
        ArgumentNullException.ThrowIfNull(metadata);
        var key = KeyOf(router.Name);
        return router.BeginSession(metadata.FirstOrDefault(entry => entry.Key == key).Value);
    }

    /// <param name="router">The router's name; null for the one without.</param>
    internal static string KeyOf(string? router) => router is null ? Key : $"{Key}-{router}";
}
