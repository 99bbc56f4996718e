namespace ReplicaRouter;

/// <summary>One server, as it is configured. What role it has is observed.</summary>
public sealed class DatabaseHostOptions
{
    /// <summary>Where the server is: a <c>postgresql://user:password@host:port/database</c> URL or an Npgsql connection string.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>The groups that the host serves.</summary>
    /// <value>
    /// Empty takes the default by name: <c>analytics</c> and <c>background</c> serve the group of their name and <c>read</c>,
    /// <c>dr</c> serves <c>dr</c>, every other host serves <c>read</c>.
    /// </value>
    public IList<string> Groups { get; } = [];

    /// <summary>Labels that calls can ask for (<see cref="OperationOptions.Labels"/>), as in <c>zone=eu-1</c>.</summary>
    public IList<string> Labels { get; } = [];

    /// <summary>
    /// How much of its group's work the host is to get, compared with the group's other hosts: one of weight 2 gets twice as much as one of weight 1. Work
    /// under way counts likewise. A host that is slower than the others gets less all the same.
    /// </summary>
    /// <value>Default 1; 1 to 100.</value>
    public int Weight { get; set; } = 1;

    /// <summary>Where the value came from, for error messages: a variable or a configuration key.</summary>
    internal string? Source { get; set; }
}
