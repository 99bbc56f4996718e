namespace ReplicaRouter.Simulation;

/// <summary>The capacity of servers and the cost of work there.</summary>
internal sealed record ServerModel
{
    /// <summary>Number of jobs that run concurrently; the rest queue.</summary>
    public int Workers { get; init; } = 8;

    public int MaxConnections { get; init; } = 5000;

    /// <summary>Cost of a login: a fork, and a password hashed thousands of times.</summary>
    public double LoginMs { get; init; } = 5;

    /// <summary>Cost of a probe.</summary>
    public double ProbeMs { get; init; } = 0.1;

    /// <summary>Factor by which a server with cold caches is slower, just after its start.</summary>
    public double ColdFactor { get; init; } = 3;

    /// <summary>Time in which that slowdown decays to about a third (1/e).</summary>
    public TimeSpan Warming { get; init; } = TimeSpan.FromSeconds(5);
}
