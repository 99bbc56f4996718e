namespace ReplicaRouter.Simulation;

/// <summary>The parts of the acceptance grid. Each has goals of its own.</summary>
internal enum GridPart
{
    /// <summary>Nothing is wrong: the router costs its callers nothing.</summary>
    Healthy,

    /// <summary>One of three replicas is ten times slower.</summary>
    OneSlow,

    /// <summary>Two of three replicas are.</summary>
    TwoSlow,

    /// <summary>Callers wait for each answer; one of three replicas is ten times slower for 10 s and then well.</summary>
    ClosedLoop,
}
