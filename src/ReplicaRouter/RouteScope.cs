namespace ReplicaRouter;

/// <summary>A stretch of code for which a route was stated by <see cref="DatabaseRouter.BeginRoute"/>.</summary>
/// <remarks>It covers the code that began it and all tasks and calls that this code starts, until it is disposed.</remarks>
internal sealed class RouteScope(DatabaseRouter router, DatabaseRoute route) : IDisposable
{
    private static readonly AsyncLocal<RouteScope?> s_ambient = new();

    private readonly DatabaseRouter _router = router.Cluster;
    private readonly DatabaseRoute _route = route;
    // Those that ended are skipped, or chains would grow in code that outlived them.
    private readonly RouteScope? _outer = Innermost(null);
    private volatile bool _isDisposed;

    /// <summary>Ends the scope; an outer one counts again.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        if (ReferenceEquals(s_ambient.Value, this)) s_ambient.Value = _outer;
    }

    public static RouteScope Begin(DatabaseRouter router, DatabaseRoute route) => s_ambient.Value = new RouteScope(router, route);

    /// <summary>The route that was stated for the calling code, if any was.</summary>
    public static DatabaseRoute? Ambient(DatabaseRouter router) => Innermost(router.Cluster)?._route;

    /// <summary>The innermost scope that has not ended, of one router or of any.</summary>
    private static RouteScope? Innermost(DatabaseRouter? router)
    {
        var scope = s_ambient.Value;
        while (scope is not null && (scope._isDisposed || (router is not null && scope._router != router))) scope = scope._outer;
        return scope;
    }
}
