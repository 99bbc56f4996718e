namespace ReplicaRouter;

/// <summary>A scope for which <see cref="DatabaseRouter.BeginRoute"/> stated a route.</summary>
internal sealed class RouteScope(DatabaseRouter router, DatabaseRoute route) : IDisposable
{
    private static readonly AsyncLocal<RouteScope?> s_ambient = new();

    private readonly DatabaseRouter _router = router.Cluster;
    private readonly DatabaseRoute _route = route;
    // Skips scopes that have ended. Otherwise the chain would grow in code that outlives them.
    private readonly RouteScope? _outer = Innermost(null);
    private volatile bool _isDisposed;

    public void Dispose()
    {
        _isDisposed = true;
        if (ReferenceEquals(s_ambient.Value, this)) s_ambient.Value = _outer;
    }

    public static RouteScope Begin(DatabaseRouter router, DatabaseRoute route) => s_ambient.Value = new RouteScope(router, route);

    public static DatabaseRoute? Ambient(DatabaseRouter router) => Innermost(router.Cluster)?._route;

    /// <summary>Returns the innermost scope that has not ended, of one router or, for null, of any.</summary>
    private static RouteScope? Innermost(DatabaseRouter? router)
    {
        var scope = s_ambient.Value;
        while (scope is not null && (scope._isDisposed || (router is not null && scope._router != router))) scope = scope._outer;
        return scope;
    }
}
