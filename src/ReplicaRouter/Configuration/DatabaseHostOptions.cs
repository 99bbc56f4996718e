namespace ReplicaRouter;

/// <summary>The configuration of one server. Its role is observed, not configured.</summary>
public sealed class DatabaseHostOptions
{
    /// <summary>The connection string: a <c>postgresql://user:password@host:port/database</c> URL or an Npgsql connection string.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>The groups that the host serves.</summary>
    /// <value>
    /// Empty uses the default for the host's name: <c>analytics</c> and <c>background</c> serve the group of their name and <c>read</c>,
    /// <c>dr</c> serves <c>dr</c>, every other host serves <c>read</c>.
    /// </value>
    public IList<string> Groups { get; } = [];

    /// <summary>Labels that calls can require (<see cref="OperationOptions.Labels"/>), such as <c>zone=eu-1</c>.</summary>
    public IList<string> Labels { get; } = [];

    /// <summary>
    /// The host's share of its group's work, relative to the group's other hosts: a host of weight 2 gets twice as much as one of weight 1. Work in progress
    /// is weighted the same way. A host that is slower than the others still gets less.
    /// </summary>
    /// <value>Default 1; 1 to 100.</value>
    public int Weight { get; set; } = 1;

    /// <summary>The variable or configuration key of the value, for messages.</summary>
    internal string? Source { get; set; }
}
