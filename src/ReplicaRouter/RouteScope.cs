namespace ReplicaRouter;

/// <summary>A scope for which <see cref="DatabaseRouter.BeginRoute"/> stated a route.</summary>
/// <remarks>It covers the code that began it, and all tasks and calls that this code starts, until it is disposed.</remarks>
internal sealed class RouteScope(DatabaseRouter router, DatabaseRoute route) : IDisposable
{
    private static readonly AsyncLocal<RouteScope?> s_ambient = new();

    private readonly DatabaseRouter _router = router.Cluster;
    private readonly DatabaseRoute _route = route;
    // Skips scopes that have ended. Otherwise the chain would grow in code that outlives them.
    private readonly RouteScope? _outer = Innermost(null);
    private volatile bool _isDisposed;

    /// <summary>Ends the scope. The outer scope applies again.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        if (ReferenceEquals(s_ambient.Value, this)) s_ambient.Value = _outer;
    }

    public static RouteScope Begin(DatabaseRouter router, DatabaseRoute route) => s_ambient.Value = new RouteScope(router, route);

    /// <summary>Returns the route stated for the calling code; null if there is none.</summary>
    public static DatabaseRoute? Ambient(DatabaseRouter router) => Innermost(router.Cluster)?._route;

    /// <summary>Returns the innermost scope that has not ended, of one router or, for null, of any.</summary>
    private static RouteScope? Innermost(DatabaseRouter? router)
    {
        var scope = s_ambient.Value;
        while (scope is not null && (scope._isDisposed || (router is not null && scope._router != router))) scope = scope._outer;
        return scope;
    }
}
