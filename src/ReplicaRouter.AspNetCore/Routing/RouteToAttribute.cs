namespace ReplicaRouter;

/// <summary>Sets the route of connections that an endpoint injects by <see cref="EndpointRoute.Key"/>.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class RouteToAttribute : Attribute
{
    internal RouteToAttribute(DatabaseRoute route) => Route = route;

    /// <summary>Routes to one of the five operations.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the five.</exception>
    public RouteToAttribute(DatabaseOperation operation) : this(DatabaseRoute.FromDatabaseOperation(operation)) { }

    /// <summary>Routes to a route that the options define.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public RouteToAttribute(string name) : this(DatabaseRoute.FromString(name)) { }

    /// <summary>The route.</summary>
    public DatabaseRoute Route { get; }

    /// <summary>The name of the router that this applies to.</summary>
    /// <value>Default <see langword="null"/>: the unnamed router.</value>
    public string? Router { get; set; }
}
