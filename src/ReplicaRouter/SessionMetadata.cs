namespace ReplicaRouter;

/// <summary>Carries a session token in the metadata of a job or message, so that the handler sees what the sender wrote.</summary>
public static class SessionMetadata
{
    /// <summary>The metadata key: <c>replica-router-token</c>. For a named router, <c>-</c> and its name are appended.</summary>
    public const string Key = "replica-router-token";

    /// <summary>Adds the session's token to metadata, unless the token is empty.</summary>
    /// <param name="session">The sender's session.</param>
    /// <param name="metadata">The headers or parameters that travel with the job or message.</param>
    /// <param name="cancellationToken">Cancels the query for the position of the last write.</param>
    public static async ValueTask WriteToAsync(this DatabaseSession session, IDictionary<string, string> metadata, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(metadata);
        if (await session.GetTokenAsync(cancellationToken).ConfigureAwait(false) is { Length: > 0 } token) metadata[KeyOf(session.RouterName)] = token;
    }

    /// <summary>Begins a session that sees what the sender of a job or message had written and read.</summary>
    /// <param name="router">The handler's router.</param>
    /// <param name="metadata">The metadata of the job or message. Without a token, the session starts empty.</param>
    public static DatabaseSession BeginSession(this DatabaseRouter router, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        ArgumentNullException.ThrowIfNull(router);
        ArgumentNullException.ThrowIfNull(metadata);
        var key = KeyOf(router.Name);
        return router.BeginSession(metadata.FirstOrDefault(entry => entry.Key == key).Value);
    }

    /// <param name="router">The router's name; null for the unnamed router.</param>
    internal static string KeyOf(string? router) => router is null ? Key : $"{Key}-{router}";
}
