namespace ReplicaRouter.Simulation;

/// <summary>What servers can do and what things cost there.</summary>
internal sealed record ServerModel
{
    /// <summary>Pieces of work that are done at once; the rest wait in line.</summary>
    public int Workers { get; init; } = 8;

    public int MaxConnections { get; init; } = 5000;

    /// <summary>Work of a login: a fork, and a password hashed some thousand times.</summary>
    public double LoginMs { get; init; } = 5;

    /// <summary>Work of a probe.</summary>
    public double ProbeMs { get; init; } = 0.1;

    /// <summary>How much slower a server is that has just started, while its caches are cold.</summary>
    public double ColdFactor { get; init; } = 3;

    /// <summary>Time in which that wears off to a third.</summary>
    public TimeSpan Warming { get; init; } = TimeSpan.FromSeconds(5);
}
