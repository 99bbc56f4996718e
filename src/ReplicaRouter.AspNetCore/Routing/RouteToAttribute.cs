namespace ReplicaRouter;

/// <summary>Says what an endpoint does with the database: where connections go that are injected by <see cref="EndpointRoute.Key"/>.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class RouteToAttribute : Attribute
{
    internal RouteToAttribute(DatabaseRoute route) => Route = route;

    /// <summary>One of the five operations.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the five.</exception>
    public RouteToAttribute(DatabaseOperation operation) : this(DatabaseRoute.FromDatabaseOperation(operation)) { }

    /// <summary>A route that the options define.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public RouteToAttribute(string name) : this(DatabaseRoute.FromString(name)) { }

    /// <summary>The route.</summary>
    public DatabaseRoute Route { get; }

    /// <summary>The name of the router whose connections it is about.</summary>
    /// <value>Default <see langword="null"/>: the router without a name.</value>
    public string? Router { get; set; }
}
