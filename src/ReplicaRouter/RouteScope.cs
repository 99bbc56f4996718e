namespace ReplicaRouter;

/// <summary>A stretch of code for which a route was stated by <see cref="DatabaseRouter.BeginRoute"/>.</summary>
/// <remarks>It covers the code that began it and all tasks and calls that this code starts, until it is disposed.</remarks>
internal sealed class RouteScope : IDisposable
{
    private static readonly AsyncLocal<RouteScope?> s_ambient = new();

    private readonly DatabaseRouter _router;
    private readonly DatabaseRoute _route;
    private readonly RouteScope? _outer;
    private volatile bool _isDisposed;

    private RouteScope(DatabaseRouter router, DatabaseRoute route, RouteScope? outer)
    {
        _router = router;
        _route = route;
        _outer = outer;
    }

    /// <summary>Ends the scope; an outer one counts again.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        if (ReferenceEquals(s_ambient.Value, this)) s_ambient.Value = _outer;
    }

    public static RouteScope Begin(DatabaseRouter router, DatabaseRoute route)
    {
        // Skips those that ended, or chains would grow in code that outlived them.
        var outer = s_ambient.Value;
        while (outer is { _isDisposed: true }) outer = outer._outer;
        return s_ambient.Value = new RouteScope(router.Cluster, route, outer);
    }

    /// <summary>The route that was stated for the calling code, if any was.</summary>
    public static DatabaseRoute? Ambient(DatabaseRouter router)
    {
        var scope = s_ambient.Value;
        while (scope is not null && (scope._isDisposed || scope._router != router.Cluster)) scope = scope._outer;
        return scope?._route;
    }
}
