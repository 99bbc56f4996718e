using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>What one call asks of its route beyond the route's own settings. The default asks for nothing.</summary>
public readonly record struct RouteOptions
{
    /// <summary>Replication lag above which a replica may not serve this call.</summary>
    /// <value>Above zero; <see langword="null"/> takes the route's own limit, 5 s by default.</value>
    public TimeSpan? MaxLag { get; init; }

    /// <summary>Labels that a replica must carry to serve this call, all of them. The primary needs none.</summary>
    public ImmutableArray<string> Labels { get; init; }

    /// <summary>Time for the whole operation: choosing, opening, retries and the work itself.</summary>
    /// <value>Above zero; <see langword="null"/> sets no limit beyond the route's own time-outs.</value>
    public TimeSpan? Deadline { get; init; }

    /// <summary>
    /// Whether <c>ExecuteAsync</c> may run the work again on another host when the host, not the query, failed it.
    /// </summary>
    /// <value><see langword="null"/> means yes for read-only routes. Work that was sent on a writable route is never run again.</value>
    public bool? Retry { get; init; }
}
